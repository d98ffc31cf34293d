#include "chat/marked_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cctype>
#include <string>
#include <vector>

namespace quire {
namespace {

// A text as pairs of a byte and whether the user wrote it: what MarkedText stands for, without its ranges.
using Bytes = std::vector<std::pair<char, bool>>;

Bytes bytes_of(const MarkedText& text) {
  Bytes bytes;
  for (const char c : text.bytes()) bytes.emplace_back(c, false);
  for (const auto& range : text.user_ranges()) {
    for (size_t i = range.begin; i < range.end; ++i) bytes[i].second = true;
  }
  return bytes;
}

MarkedText text_of(const std::vector<std::pair<std::string, bool>>& pieces) {
  MarkedText text;
  for (const auto& [bytes, from_user] : pieces) text.append(bytes, from_user);
  return text;
}

// Ascending, disjoint, not adjacent, none empty, all within the text.
void check_ranges(const MarkedText& text) {
  size_t end = 0;
  bool first = true;
  for (const auto& range : text.user_ranges()) {
    RC_ASSERT(range.begin < range.end);
    RC_ASSERT(first || range.begin > end);
    end = range.end;
    first = false;
  }
  RC_ASSERT(end <= text.size());
}

using Pieces = std::vector<std::pair<std::string, bool>>;

RC_GTEST_PROP(MarkedText, AppendsWithMarks, (const Pieces& left, const Pieces& right)) {
  MarkedText text = text_of(left);
  Bytes expected = bytes_of(text);
  const MarkedText other = text_of(right);
  text.append(other);
  check_ranges(text);
  for (const auto& byte : bytes_of(other)) expected.push_back(byte);
  RC_ASSERT(bytes_of(text) == expected);
}

RC_GTEST_PROP(MarkedText, SlicesWithMarks, (const Pieces& pieces, uint16_t a, uint16_t b)) {
  const MarkedText text = text_of(pieces);
  const size_t first = a % (text.size() + 1), second = b % (text.size() + 1);
  const size_t begin = std::min(first, second), end = std::max(first, second);
  const MarkedText slice = text.slice(begin, end);
  check_ranges(slice);
  const Bytes bytes = bytes_of(text);
  RC_ASSERT(bytes_of(slice) ==
            Bytes(bytes.begin() + static_cast<long>(begin), bytes.begin() + static_cast<long>(end)));
}

RC_GTEST_PROP(MarkedText, MapsPieceByPiece, (const Pieces& pieces)) {
  const MarkedText text = text_of(pieces);
  // Each byte twice, so that lengths change.
  const MarkedText doubled = map_pieces(text, [](std::string_view piece) {
    std::string out;
    for (const char c : piece) out += {c, c};
    return out;
  });
  check_ranges(doubled);
  Bytes expected;
  for (const auto& byte : bytes_of(text)) expected.insert(expected.end(), 2, byte);
  RC_ASSERT(bytes_of(doubled) == expected);
}

TEST(MarkedText, AppendsItself) {
  MarkedText text("ab", true);
  text.append("c", false);
  text.append(text);
  EXPECT_EQ(text.bytes(), "abcabc");
  EXPECT_EQ(bytes_of(text), bytes_of(text_of({{"ab", true}, {"c", false}, {"ab", true}, {"c", false}})));
}

TEST(MarkedText, JoinsAdjacentMarks) {
  const MarkedText text = text_of({{"a", true}, {"", false}, {"b", true}});
  ASSERT_EQ(text.user_ranges().size(), 1u);
  EXPECT_EQ(text.user_ranges()[0], (MarkedText::Range{0, 2}));
}

}  // namespace
}  // namespace quire
