// Characters as Python counts them: code points of UTF-8 text. A byte that belongs to no well-formed
// sequence is a character of its own, with the code 0xDC00 + byte, so that any bytes pass through
// unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quire::jinja {

struct Character {
  char32_t code = 0;
  uint32_t length = 0;  // bytes
};

// The character that starts at byte `at` < text.size().
Character character_at(std::string_view text, size_t at);
// The start of the character that ends at byte `end` > 0.
size_t character_before(std::string_view text, size_t end);

void append_character(char32_t code, std::string& out);

size_t count_characters(std::string_view text);
// The byte at which character `index` starts; text.size() when there are no more than `index`.
size_t byte_offset(std::string_view text, size_t index);

bool is_space(char32_t code);
bool is_letter(char32_t code);
bool is_digit(char32_t code);
bool is_upper(char32_t code);
bool is_lower(char32_t code);
bool is_printable(char32_t code);  // what Python's repr() shows as it is

// Whether there is a letter of the case wanted, and none of the other.
bool has_case(std::string_view text, bool want_upper);

// Case by Unicode's simple mappings, and the sharp s, which becomes SS.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);

enum class Side { kLeft, kRight, kBoth };
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;
};
// What is left of `text` without the white space (or the characters in `set`, unless it is null) at its
// sides.
ByteRange stripped(std::string_view text, Side side, const std::string_view* set = nullptr);

// Linear time whatever the bytes are; npos when there is none. `needle` is not empty.
size_t find_bytes(std::string_view text, std::string_view needle, size_t from);
size_t rfind_bytes(std::string_view text, std::string_view needle);

}  // namespace quire::jinja
