// A string that remembers which of its bytes a user wrote, so that special tokens spelled by a user stay
// text however the template moves the words around. A plain value; copies are deep.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {

class MarkedText {
 public:
  // Bytes [begin, end).
  struct Range {
    size_t begin = 0;
    size_t end = 0;
    bool operator==(const Range&) const = default;
  };

  MarkedText() = default;
  explicit MarkedText(std::string bytes, bool from_user = false);

  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  // The user's bytes: ascending, disjoint, not adjacent, none empty.
  std::span<const Range> user_ranges() const { return user_; }
  bool has_user_bytes() const { return !user_.empty(); }

  void append(std::string_view bytes, bool from_user);
  void append(const MarkedText& other) { append(other, 0, other.size()); }
  // Bytes [begin, end) of `other`, which may be this text itself; begin <= end <= other.size().
  void append(const MarkedText& other, size_t begin, size_t end);

  MarkedText slice(size_t begin, size_t end) const;

 private:
  void mark(size_t begin, size_t end);

  std::string bytes_;
  std::vector<Range> user_;
};

// The same ranges of the same bytes replaced by `map(piece)`, where each piece is either wholly the user's
// or wholly not: for conversions that work byte by byte or character by character (ASCII case, escapes).
template <class Map>
MarkedText map_pieces(const MarkedText& text, Map&& map) {
  MarkedText out;
  const std::string_view bytes = text.bytes();
  size_t at = 0;
  for (const auto& range : text.user_ranges()) {
    if (at < range.begin) out.append(map(bytes.substr(at, range.begin - at)), false);
    out.append(map(bytes.substr(range.begin, range.end - range.begin)), true);
    at = range.end;
  }
  if (at < bytes.size()) out.append(map(bytes.substr(at)), false);
  return out;
}

}  // namespace quire
