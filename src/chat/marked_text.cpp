#include "chat/marked_text.h"

#include <algorithm>

#include "base/check.h"

namespace quire {

MarkedText::MarkedText(std::string bytes, bool from_user) : bytes_(std::move(bytes)) {
  if (from_user) mark(0, bytes_.size());
}

void MarkedText::mark(size_t begin, size_t end) {
  if (begin == end) return;
  if (!user_.empty() && user_.back().end == begin) {
    user_.back().end = end;
  } else {
    user_.push_back({begin, end});
  }
}

void MarkedText::append(std::string_view bytes, bool from_user) {
  const size_t begin = bytes_.size();
  bytes_.append(bytes);
  if (from_user) mark(begin, bytes_.size());
}

void MarkedText::append(const MarkedText& other, size_t begin, size_t end) {
  CHECK(begin <= end && end <= other.size());
  if (&other == this) {
    const MarkedText copy = other.slice(begin, end);
    append(copy, 0, copy.size());
    return;
  }
  const size_t shift = bytes_.size();
  bytes_.append(other.bytes_, begin, end - begin);
  const auto first = std::upper_bound(other.user_.begin(), other.user_.end(), begin,
                                      [](size_t at, const Range& range) { return at < range.end; });
  for (auto range = first; range != other.user_.end() && range->begin < end; ++range) {
    mark(shift + std::max(range->begin, begin) - begin, shift + std::min(range->end, end) - begin);
  }
}

MarkedText MarkedText::slice(size_t begin, size_t end) const {
  MarkedText out;
  out.append(*this, begin, end);
  return out;
}

}  // namespace quire
