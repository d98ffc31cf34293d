// The JSON of answers: of whole ones and of the chunks of a stream, for /v1/completions and
// /v1/chat/completions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/output_processor.h"
#include "server/generation.h"
#include "server/json_writer.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A choice of the answer: all of it, or in a stream what has come since the last chunk.
struct ChoiceResult {
  int32_t index = 0;
  size_t prompt = 0;
  bool first = true;  // nothing of it was written yet
  std::string text;
  // With echo, the prompt's too; a logprob of NaN stands for "none". Their text_offset counts characters
  // (code points) of the choice's text, as OpenAI's does.
  std::vector<OutputToken> tokens;
  size_t num_echoed = 0;       // of `tokens`, the first so many are the prompt's
  int64_t num_characters = 0;  // of the text of all tokens so far
  FinishReason finish_reason = FinishReason::kNone;
  std::variant<std::monostate, TokenId, std::string> stop_reason;
};

// What all chunks and choices of one answer share.
struct ResponseContext {
  const Tokenizer& tokenizer;
  std::string id;
  std::string model;
  int64_t created = 0;
  bool logprobs = false;
  bool skip_special_tokens = true;
  bool return_token_ids = false;
  bool prompt_logprobs = false;  // asked for by that name (echo's come in the choices' logprobs)
  std::vector<std::vector<TokenId>>
      prompts;  // by prompt; kept when return_token_ids or prompt_logprobs is set
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompts, that the prefix cache had
};

// What differs by endpoint.
struct ResponseFormat {
  std::string_view id_prefix;
  std::string_view object;
  std::string_view chunk_object;
  // Members of one element of `choices`.
  void (*write_choice)(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice);
  void (*write_chunk_choice)(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice);
  bool prompt_on_top;  // one prompt: its ids and log-probabilities stand beside `choices`, not within
};

extern const ResponseFormat kCompletionFormat;
extern const ResponseFormat kChatFormat;

std::string response_json(const ResponseFormat& format, const ResponseContext& context,
                          std::span<const ChoiceResult> choices, const Generation& generation,
                          const Usage& usage);

// `with_usage_null`: the client asked for a usage chunk, so the others say "usage": null.
std::string chunk_json(const ResponseFormat& format, const ResponseContext& context,
                       const ChoiceResult& choice, bool with_usage_null);

std::string usage_chunk_json(const ResponseFormat& format, const ResponseContext& context,
                             const Usage& usage);

}  // namespace quire
