// The JSON of OpenAI's answers, whole ones and the chunks of a stream, for /v1/completions and
// /v1/chat/completions.
#pragma once

#include <memory>
#include <string_view>

#include "server/generation/answer_writer.h"
#include "server/json/json_writer.h"

namespace quire {

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

// What of the usage a stream has.
struct StreamUsage {
  bool at_end = false;         // a last chunk with it; the others say "usage": null
  bool in_each_chunk = false;  // as far as it is then known
};

std::unique_ptr<AnswerWriter> make_openai_writer(const ResponseFormat& format, StreamUsage usage);

}  // namespace quire
