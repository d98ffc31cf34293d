#include "base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include <rapidcheck/gtest.h>

namespace quire {
namespace {

constexpr std::array<uint8_t, 25> kBoundaryBytes{0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                                 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                                 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};

uint64_t fnv1a(uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

// Calls visit(text) for every text of `length` boundary bytes, in order.
template <class Visit>
void for_each_text(size_t length, Visit visit) {
  size_t count = 1;
  for (size_t i = 0; i < length; ++i) count *= kBoundaryBytes.size();
  std::string text(length, '\0');
  for (size_t number = 0; number < count; ++number) {
    size_t rest = number;
    for (size_t i = length; i-- > 0; rest /= kBoundaryBytes.size()) {
      text[i] = static_cast<char>(kBoundaryBytes[rest % kBoundaryBytes.size()]);
    }
    visit(text);
  }
}

// All 406,901 texts of up to four bytes at the borders of Unicode's table: what replaces them, whether they
// are valid, and how much of them is complete. The golden hash is of what Python says: its decoder
// ('replace', strict), and the suffixes that begin the encoding of some character.
TEST(Text, AgreesWithPythonOnEveryShortSequence) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  int valid = 0;
  for (size_t length = 0; length <= 4; ++length) {
    for_each_text(length, [&](const std::string& text) {
      const bool is_valid = is_valid_utf8(text);
      valid += is_valid ? 1 : 0;
      hash = fnv1a(hash, replace_invalid_utf8(text));
      const std::array<char, 3> facts{'\xFE', static_cast<char>(is_valid),
                                      static_cast<char>(complete_utf8_length(text))};
      hash = fnv1a(hash, {facts.data(), facts.size()});
    });
  }
  EXPECT_EQ(valid, 2581);
  EXPECT_EQ(hash, 0x3469d051437b96d0ULL);
}

RC_GTEST_PROP(Text, ReplacingGivesValidTextAndKeepsValidText, (const std::string& text)) {
  const std::string replaced = replace_invalid_utf8(text);
  RC_ASSERT(is_valid_utf8(replaced));
  RC_ASSERT((replaced == text) == is_valid_utf8(text));
  RC_ASSERT(replace_invalid_utf8(replaced) == replaced);
}

RC_GTEST_PROP(Text, AtMostThreeBytesAreHeldBack, (const std::string& text)) {
  const size_t whole = complete_utf8_length(text);
  RC_ASSERT(whole <= text.size());
  RC_ASSERT(text.size() - whole <= 3U);
  RC_ASSERT(complete_utf8_length(text + "x") == text.size() + 1);
}

TEST(Text, CharactersAreCompleteWithTheirLastByte) {
  const std::string text = "a\u00e9\u4e2d\U0001F600";
  for (size_t size = 0; size <= text.size(); ++size) {
    const size_t whole = complete_utf8_length(text.substr(0, size));
    const size_t expected = size >= 10 ? 10 : size >= 6 ? 6 : size >= 3 ? 3 : size >= 1 ? 1 : 0;
    EXPECT_EQ(whole, expected) << size;
  }
}

TEST(Text, SmallLettersAndDigitsOfAscii) {
  EXPECT_EQ(ascii_lower("AZ az @[ \u00c4"), "az az @[ \u00c4");
  EXPECT_EQ(hex_digit('9'), 9);
  EXPECT_EQ(hex_digit('a'), 10);
  EXPECT_EQ(hex_digit('F'), 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0'}) EXPECT_EQ(hex_digit(c), std::nullopt);
}

TEST(Text, PercentsAreDecoded) {
  EXPECT_EQ(percent_decoded("a%2Fb%c3%84"), "a/b\u00c4");
  EXPECT_EQ(percent_decoded(""), "");
  for (const char* malformed : {"%", "%4", "a%4g", "%-1", "%%41"}) {
    EXPECT_EQ(percent_decoded(malformed), std::nullopt) << malformed;
  }
}

TEST(Text, NearestNameSuggestsCloseSpellings) {
  constexpr std::array<std::string_view, 4> kNames{"max-num-seqs", "max-model-len", "port", "host"};
  EXPECT_EQ(nearest_name("max-num-seq", kNames), "max-num-seqs");
  EXPECT_EQ(nearest_name("max_num_seqs", kNames), "max-num-seqs");
  EXPECT_EQ(nearest_name("prot", kNames), "port");
  EXPECT_EQ(nearest_name("port", kNames), "port");
  EXPECT_EQ(nearest_name("temperature", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name("port", {}), "");
  EXPECT_EQ(nearest_name(std::string(101, 'x'), kNames), "");
}

}  // namespace
}  // namespace quire
