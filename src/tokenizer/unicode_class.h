// The classes of characters that pre-tokenizers tell apart, and how a text is read as characters. Classes
// come from utf8proc's general categories (Unicode 15); text need not be valid UTF-8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quire {

// \p{L}, \p{N}, \s (Unicode's White_Space), and everything else: no character is in two of them.
enum class CharClass : uint8_t { kOther, kLetter, kNumber, kSpace };

struct Character {
  char32_t code;   // kMalformed for a byte that belongs to no well-formed sequence
  uint8_t length;  // bytes, 1 to 4
  CharClass char_class;
};

inline constexpr char32_t kMalformed = 0xFFFFFFFF;

// kOther for what is not a code point.
CharClass class_of(char32_t code);

namespace unicode_detail {

Character multibyte_character(std::string_view text, size_t at);

constexpr std::array<CharClass, 128> ascii_classes() {
  std::array<CharClass, 128> classes{};
  for (char c = '0'; c <= '9'; ++c) classes[c] = CharClass::kNumber;
  for (char c = 'A'; c <= 'Z'; ++c) classes[c] = CharClass::kLetter;
  for (char c = 'a'; c <= 'z'; ++c) classes[c] = CharClass::kLetter;
  for (char c = '\t'; c <= '\r'; ++c) classes[c] = CharClass::kSpace;
  classes[' '] = CharClass::kSpace;
  return classes;
}

inline constexpr std::array<CharClass, 128> kAsciiClasses = ascii_classes();

}  // namespace unicode_detail

// The character that starts at `at`, at < text.size(). A malformed byte is a character of its own, of class
// kOther, so every text is a sequence of characters.
inline Character character_at(std::string_view text, size_t at) {
  const uint8_t byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) return {byte, 1, unicode_detail::kAsciiClasses[byte]};
  return unicode_detail::multibyte_character(text, at);
}

}  // namespace quire
