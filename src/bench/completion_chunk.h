// One chunk of a streamed answer of /v1/completions, as far as measuring it needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

struct CompletionChunk {
  bool done = false;        // data: [DONE]
  bool has_choice = false;  // speaks of a choice, and so of the passage of tokens
  bool has_token = false;   // brings output: text, or a token whose text is held back
  std::optional<int64_t> prompt_tokens, completion_tokens;  // from `usage`, where the chunk has it
};

// An error is the server's (an error event in mid-stream) or kCorrupt (not JSON). Keeps no state between
// calls.
Expected<CompletionChunk> parse_completion_chunk(std::string_view data);

// The message of an OpenAI error body, or the start of `body` where it is not one.
std::string error_message(std::string_view body);

// The id of the first model that a /v1/models answer lists.
Expected<std::string> first_model_id(std::string_view body);

}  // namespace quire
