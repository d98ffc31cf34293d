// From requests to prompts that the engine can take: templates rendered, texts tokenized, lengths held
// against the model's context. Runs on the workers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/sampling_params.h"
#include "server/chat_request.h"
#include "server/completion_request.h"
#include "server/prefix_request.h"
#include "server/served_model.h"

namespace quire {

struct PreparedPrompt {
  std::vector<TokenId> tokens;
  SamplingParams sampling;  // complete and valid
  std::string echo_text;    // what `echo` shows; empty without it
  bool hides_bos = false;   // tokens start with a BOS that echo_text does not show
  bool pins = false;        // they are to stay in the prefix cache
};

// What one answer that is not streamed may hold: tokens and their alternatives, over all its choices.
inline constexpr int64_t kMaxHeldResults = 1 << 20;

// One prompt a choice group, in the request's order. Errors are kInvalidArgument and name the field.
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, CompletionRequest request);
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, ChatRequest request);
// Messages as later chats begin that have them too: nothing is asked to be generated after them.
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, PrefixRequest request);

// That the vocabulary has them all.
Expected<> check_token_ids(std::string_view param, const ServedModel& model, std::span<const TokenId> ids);

// The template's text with these messages. What the client wrote stays text; only the template's own
// special tokens are recognized. A text that could not fit the context by far is refused before it is
// tokenized.
Expected<std::vector<TokenId>> tokenize_messages(const ServedModel& model,
                                                 std::span<const ChatMessage> messages,
                                                 bool add_generation_prompt);

// The ids of `text`, after the model's BOS if it wants one and `add_special_tokens` is set.
std::vector<TokenId> tokenize_text(const ServedModel& model, std::string_view text, bool add_special_tokens,
                                   bool parse_special);

}  // namespace quire
