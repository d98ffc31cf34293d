// Finds stop strings in a text that comes in pieces, each byte looked at once (Knuth, Morris, Pratt 1977),
// and knows how much of the text's end may still become one. What is found does not depend on how the text
// is cut.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

// The strings of one request; shared by its continuations. Immutable after creation.
class StopStrings {
 public:
  // Empty strings and malformed UTF-8 are left out: no text contains them at a character's border.
  explicit StopStrings(std::span<const std::string> strings);

  bool empty() const { return strings_.empty(); }
  size_t size() const { return strings_.size(); }
  const std::string& operator[](size_t i) const { return strings_[i]; }

  // With `matched` bytes of string i, but not all, at the end of a text: how many after one more byte.
  uint32_t advance(size_t i, uint32_t matched, char byte) const;

  // After the whole of string i: how many bytes of its end may be the start of the next.
  uint32_t border(size_t i) const { return borders_[i].back(); }

 private:
  std::vector<std::string> strings_;
  // borders_[i][k]: of the first k bytes of string i, the longest end that is also their start, but not all
  // of them.
  std::vector<std::vector<uint32_t>> borders_;
};

// One continuation's text.
class StopMatcher {
 public:
  // `strings` outlives the matcher.
  explicit StopMatcher(const StopStrings& strings) : strings_(&strings), matched_(strings.size()) {}

  struct Match {
    size_t index = 0;  // which string
    size_t end = 0;    // where it ends in the piece just pushed
  };

  // The next piece of the text. The match that is complete first wins; of several that end at one byte, the
  // longest. With `may_end` false, what is complete within this piece does not count. After a match, push
  // no more.
  std::optional<Match> push(std::string_view piece, bool may_end);

  // Bytes at the end of the text so far that may be the start of a stop string.
  size_t held_bytes() const;

 private:
  const StopStrings* strings_;
  std::vector<uint32_t> matched_;  // by string: how much of it the text's end is
};

}  // namespace quire
