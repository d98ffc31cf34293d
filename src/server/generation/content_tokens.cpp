#include "server/generation/content_tokens.h"

#include <algorithm>
#include <utility>

namespace quire {

// Ranges come in ascending order, so that spans before them are not needed any more.
bool ContentTokens::has_content(ByteSpan range) {
  while (content_.size() > 1 && content_.front().end <= range.begin) content_.pop_front();
  return !content_.empty() && content_.front().begin < range.end && content_.front().end > range.begin;
}

void ContentTokens::take(std::span<const ByteSpan> spans, const OutputParser& parser, bool ended,
                         std::vector<OutputToken>& out) {
  content_.insert(content_.end(), spans.begin(), spans.end());
  const int64_t size = parser.num_bytes();
  const int64_t decided = ended ? size : parser.num_decided_bytes();
  while (!waiting_.empty()) {
    const int64_t next = waiting_.size() > 1 ? waiting_[1].text_offset : size + 1;
    const bool is_open = next > size;  // more of its text may come later
    ByteSpan range = {waiting_.front().text_offset, std::min(next, size)};
    if (range.begin >= range.end) {
      if (range.begin >= size) {
        if (!ended) return;
        range.begin = std::max<int64_t>(size - 1, 0);
      }
      range.end = range.begin + 1;
    }
    const bool is_content = size == 0 || has_content(range);
    if (!is_content && (range.end > decided || is_open) && !ended) return;
    if (is_content) out.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

}  // namespace quire
