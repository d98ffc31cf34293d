#include "chat/characters.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace quire::jinja {
namespace {

TEST(Characters, AreCodePoints) {
  const std::string text = "aé世🎉";
  EXPECT_EQ(count_characters(text), 4u);
  EXPECT_EQ(byte_offset(text, 2), 3u);
  EXPECT_EQ(byte_offset(text, 9), text.size());
  EXPECT_EQ(character_at(text, 3).code, U'世');
  EXPECT_EQ(character_before(text, text.size()), 6u);
}

// Any bytes are characters in one way only, forwards and backwards, and nothing is lost.
RC_GTEST_PROP(Characters, CoverAnyBytes, (const std::string& bytes)) {
  std::string pieces;
  size_t count = 0;
  for (size_t at = 0; at < bytes.size(); ++count) {
    const Character character = character_at(bytes, at);
    RC_ASSERT(character.length >= 1 && at + character.length <= bytes.size());
    pieces += bytes.substr(at, character.length);
    at += character.length;
  }
  RC_ASSERT(pieces == bytes);
  RC_ASSERT(count_characters(bytes) == count);
  RC_ASSERT(to_upper(bytes).empty() == bytes.empty());
}

RC_GTEST_PROP(Characters, GoBackAsTheyGoForward, (const std::vector<char32_t>& codes)) {
  std::string text;
  std::vector<size_t> starts;
  for (const char32_t code : codes) {
    const char32_t valid = code % 0xD800;
    starts.push_back(text.size());
    append_character(valid, text);
    RC_ASSERT(character_at(text, starts.back()).code == valid);
  }
  size_t end = text.size();
  for (size_t i = starts.size(); i-- > 0; end = starts[i])
    RC_ASSERT(character_before(text, end) == starts[i]);
}

TEST(Characters, MalformedBytesPassThrough) {
  const std::string text = "a\xFF\xC3z\xE4\xB8";
  EXPECT_EQ(count_characters(text), 6u);
  EXPECT_EQ(to_upper(text), "A\xFF\xC3Z\xE4\xB8");
  EXPECT_EQ(character_at(text, 1).code, 0xDC00u + 0xFF);
}

TEST(Characters, CaseBeyondAscii) {
  EXPECT_EQ(to_upper("straße é"), "STRASSE É");
  EXPECT_EQ(to_lower("ÀÉ"), "àé");
  EXPECT_TRUE(has_case("É1", true));
  EXPECT_FALSE(has_case("1", true));
  EXPECT_FALSE(has_case("aB", false));
}

TEST(Characters, StripTakesWhiteSpaceOrASet) {
  const std::string text = " \t\u00a0x y\n";
  const ByteRange range = stripped(text, Side::kBoth);
  EXPECT_EQ(text.substr(range.begin, range.end - range.begin), "x y");
  const std::string_view set = "ab";
  const ByteRange inner = stripped("abcba", Side::kLeft, &set);
  EXPECT_EQ(inner.begin, 2u);
  EXPECT_EQ(inner.end, 5u);
  const ByteRange empty = stripped("   ", Side::kBoth);
  EXPECT_EQ(empty.begin, empty.end);
}

RC_GTEST_PROP(Characters, SearchFindsWhatStringFinds,
              (const std::string& text, uint8_t at, uint8_t length)) {
  const std::string needle = text.empty() ? "x" : text.substr(at % text.size(), 1 + length % 4);
  RC_ASSERT(find_bytes(text, needle, 0) == text.find(needle));
  RC_ASSERT(rfind_bytes(text, needle) == text.rfind(needle));
}

}  // namespace
}  // namespace quire::jinja
