// Which tokens of a choice are its content's: those of whose text a byte is content. A token without text of
// its own, such as a part of a character or the one that ends a sequence, goes with the byte after it, or at
// the end of the text with the last one. A token is told as soon as that is known of it and of all before.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "chat/output_parser.h"
#include "engine/output_processor.h"

namespace quire {

class ContentTokens {
 public:
  void add(std::span<const OutputToken> tokens) {
    waiting_.insert(waiting_.end(), tokens.begin(), tokens.end());
  }

  // `spans` go on where those of earlier calls ended. Appends to `out` the tokens of content that are known
  // now; after finish() on `parser`, or when it is done, `ended` is true and all are.
  void take(std::span<const ByteSpan> spans, const OutputParser& parser, bool ended,
            std::vector<OutputToken>& out);

 private:
  // Whether a byte of `range` is content.
  bool has_content(ByteSpan range);

  std::deque<OutputToken> waiting_;
  std::deque<ByteSpan> content_;  // that a token may still touch; never empty once there was any
};

}  // namespace quire
