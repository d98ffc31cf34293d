#include "tokenizer/unicode_class.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "tests/tokenizer/random_text.h"

namespace quire {
namespace {

// Golden: the general categories of Unicode, and PropList's White_Space.
TEST(UnicodeClass, Classes) {
  const std::u32string_view letters =
      U"azAZ\u00AA\u00E9\u0130\u01C5\u02B0\u0391\u05D0\u0627\u0905\u3042\u4E2D\uAC00\uFB01"
      U"\U00010348\U0001D518\U00020000\U00030000";
  const std::u32string_view numbers = U"09\u00B2\u00BD\u0663\u096B\u2167\u32BF\U0001D7D7";
  const std::u32string_view spaces =
      U"\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2003\u200A\u2028\u2029\u202F\u205F\u3000";
  const std::u32string_view others =
      U"!'_~"
      U"\x01\x1C\x1F\x7F\u00AD\u0301\u093F\u180E\u200B\u200D\u2060\uFEFF\uFFFD\uE000\u20AC\U0001F642"
      U"\U0001F1F7\U000E0001\U0010FFFF";
  for (const char32_t code : letters)
    EXPECT_EQ(class_of(code), CharClass::kLetter) << std::hex << uint32_t{code};
  for (const char32_t code : numbers)
    EXPECT_EQ(class_of(code), CharClass::kNumber) << std::hex << uint32_t{code};
  for (const char32_t code : spaces)
    EXPECT_EQ(class_of(code), CharClass::kSpace) << std::hex << uint32_t{code};
  for (const char32_t code : others)
    EXPECT_EQ(class_of(code), CharClass::kOther) << std::hex << uint32_t{code};
  EXPECT_EQ(class_of(kMalformed), CharClass::kOther);
  EXPECT_EQ(class_of(0xD800), CharClass::kOther);
  EXPECT_EQ(class_of(0x110000), CharClass::kOther);
}

TEST(UnicodeClass, AsciiShortcutAgreesWithTheTable) {
  for (int code = 0; code < 128; ++code) {
    const std::string text(1, static_cast<char>(code));
    const Character read = character_at(text, 0);
    EXPECT_EQ(read.code, static_cast<char32_t>(code));
    EXPECT_EQ(read.length, 1);
    EXPECT_EQ(read.char_class, class_of(read.code)) << code;
  }
}

TEST(UnicodeClass, ReadsCharactersOfEveryLength) {
  const std::string text = "a\u00E9\u4E2D\U0001F642";
  EXPECT_EQ(character_at(text, 0).code, U'a');
  EXPECT_EQ(character_at(text, 1).code, U'\u00E9');
  EXPECT_EQ(character_at(text, 3).code, U'\u4E2D');
  const Character last = character_at(text, 6);
  EXPECT_EQ(last.code, U'\U0001F642');
  EXPECT_EQ(last.length, 4);
}

TEST(UnicodeClass, MalformedBytesStandAlone) {
  const std::vector<std::string> malformed = {
      "\x80",              // continuation without a lead
      "\xC0\xAF",          // overlong
      "\xE0\x80\x80",      // overlong
      "\xF0\x80\x80\x80",  // overlong
      "\xED\xA0\x80",      // surrogate
      "\xF4\x90\x80\x80",  // beyond U+10FFFF
      "\xF8\x88\x80\x80\x80",
      "\xE4\xB8",  // cut off
      "\xF0\x9F",  // cut off
      "\xC3(",     // no continuation
  };
  for (const std::string& text : malformed) {
    const Character read = character_at(text, 0);
    EXPECT_EQ(read.code, kMalformed);
    EXPECT_EQ(read.length, 1);
    EXPECT_EQ(read.char_class, CharClass::kOther);
  }
}

RC_GTEST_PROP(UnicodeClass, EveryTextIsASequenceOfCharacters, (uint64_t seed)) {
  const std::string text = random_text(seed, 30);
  bool malformed = false;
  size_t at = 0;
  while (at < text.size()) {
    const Character read = character_at(text, at);
    RC_ASSERT(read.length >= 1 && read.length <= text.size() - at);
    malformed = malformed || read.code == kMalformed;
    at += read.length;
  }
  RC_ASSERT(malformed == !is_valid_utf8(text));
}

}  // namespace
}  // namespace quire
