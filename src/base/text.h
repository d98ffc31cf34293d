// Small questions about text that more than one room asks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quire {

// Length of the longest prefix of `text` that is whole UTF-8: the rest is the start of a character that may
// still be completed. Invalid bytes count as whole.
size_t complete_utf8_length(std::string_view text);

// True for well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);

// `text` with every malformed sequence replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

// Appends `text` as a JSON string (RFC 8259), in its quotes; malformed UTF-8 as replace_invalid_utf8().
void append_json_string(std::string& out, std::string_view text);

// With ASCII's capitals as small letters; the rest as it is.
std::string ascii_lower(std::string_view text);

// What a hexadecimal digit stands for; none if it is none.
std::optional<uint8_t> hex_digit(char c);

// %XX decoded, as in URIs (RFC 3986, 2.1); none if one is malformed.
std::optional<std::string> percent_decoded(std::string_view text);

// The candidate with the smallest edit distance to `word`, or empty if none is close enough to suggest.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace quire
