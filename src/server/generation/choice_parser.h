// Takes the text of one choice apart as it comes: content, reasoning, and calls of tools with ids; and tells
// the content's tokens where they are wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/output_parser.h"
#include "engine/output_processor.h"
#include "server/generation/answer_writer.h"
#include "server/generation/content_tokens.h"

namespace quire {

class ChoiceParser {
 public:
  // `spec` outlives it. Ids of calls follow from the answer's id and the choice's index.
  ChoiceParser(const OutputSpec& spec, std::string_view answer_id, int32_t choice);

  // Adds to `choice` what `delta` brings, `with_tokens` (the same for all deltas) its content_tokens too.
  // Returns how many tokens of `delta` are reasoning.
  int64_t take(const TextDelta& delta, bool with_tokens, ChoiceResult& choice);

  // The call that was wanted has come; nothing more will.
  bool done() const { return parser_.done(); }

 private:
  int64_t count_reasoning(const TextDelta& delta);
  std::string next_id();

  const ToolStyle style_;
  OutputParser parser_;
  ContentTokens content_tokens_;
  const uint64_t id_seed_;
  uint64_t num_ids_ = 0;
  int64_t num_tokens_ = 0;
  int64_t reasoning_tokens_ = 0;
  bool reasoning_ended_ = false;
};

}  // namespace quire
