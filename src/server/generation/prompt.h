// From requests to prompts that the engine can take: templates rendered, texts tokenized, lengths held
// against the model's context. Runs on the workers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "chat/output_parser.h"
#include "config/sampling_params.h"
#include "server/requests/chat_request.h"
#include "server/requests/completion_request.h"
#include "server/requests/embedding_request.h"
#include "server/requests/prefix_request.h"
#include "server/served_model.h"

namespace quire {

struct PreparedPrompt {
  std::vector<TokenId> tokens;
  SamplingParams sampling;  // complete and valid, but for the grammar until it is compiled
  std::string echo_text;    // what `echo` shows; empty without it
  bool hides_bos = false;   // tokens start with a BOS that echo_text does not show
  bool pins = false;        // they are to stay in the prefix cache
  OutputSpec output = {};   // how the answer's text is taken apart
  // What the output must look like; null if nothing is asked for. The same for all prompts of a request.
  std::shared_ptr<GrammarRequest> grammar = {};
};

// What one answer that is not streamed may hold: tokens and their alternatives, over all its choices.
inline constexpr int64_t kMaxHeldResults = 1 << 20;

// One prompt a choice group, in the request's order. Errors name the field: kContextExceeded for what is too
// long, else kInvalidArgument or kUnsupported.
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, CompletionRequest request);
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, ChatRequest request);
// Messages as later chats begin that have them too: nothing is asked to be generated after them.
Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, PrefixRequest request);

// Puts the grammar that was compiled where the engine looks for it. Requires that there is a result, which
// is the error if it is one.
Expected<> add_grammar(std::span<PreparedPrompt> prompts);

// The tokens of one of the request's inputs, which fit the context. Errors name `input`.
Expected<std::vector<TokenId>> tokenize_input(const ServedModel& model, const EmbeddingRequest& request,
                                              CompletionRequest::Prompt input);

// That the vocabulary has them all.
Expected<> check_token_ids(std::string_view param, const ServedModel& model, std::span<const TokenId> ids);

// A conversation as the template sees it.
struct ChatInput {
  std::span<const ChatMessage> messages;
  std::span<const Tool> tools = {};
  TemplateOptions rendering = {};
};

// The conversation in tokens, and how the answer to it begins.
struct ChatTokens {
  std::vector<TokenId> tokens;
  bool opens_reasoning = false;   // it ends with <think>, or within reasoning that goes on
  bool closes_reasoning = false;  // it ends with </think>, or after it in a message that goes on
};

// The template's text with these messages, to the end of the last one if that is to go on. What the client
// wrote stays text; only the template's own special tokens are recognized. A text that could
// not fit the context by far is refused before it is tokenized; so are tools that the template does not know
// of.
Expected<ChatTokens> tokenize_chat(const ServedModel& model, const ChatInput& input);

// The ids of `text`, after the model's BOS if it wants one and `add_special_tokens` is set.
std::vector<TokenId> tokenize_text(const ServedModel& model, std::string_view text, bool add_special_tokens,
                                   bool parse_special);

}  // namespace quire
