#include "chat/characters.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>

namespace quire::jinja {
namespace {

constexpr char32_t kLoneByte = 0xDC00;
constexpr char32_t kSharpS = 0xDF;

utf8proc_category_t category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

template <class Map>
std::string map_case(std::string_view text, Map&& map) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.length == 1 && character.code >= 0x80) {
      out += text[at];
    } else {
      map(character.code, out);
    }
    at += character.length;
  }
  return out;
}

}  // namespace

Character character_at(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  if (lead < 0x80) return {lead, 1};
  utf8proc_int32_t code = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const auto length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  if (length <= 0) return {kLoneByte + lead, 1};
  return {static_cast<char32_t>(code), static_cast<uint32_t>(length)};
}

size_t character_before(std::string_view text, size_t end) {
  const size_t lowest = end < 4 ? 0 : end - 4;
  for (size_t at = end - 1;; --at) {
    const bool continuation = (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
    if (!continuation) return at + character_at(text, at).length == end ? at : end - 1;
    if (at == lowest) return end - 1;
  }
}

void append_character(char32_t code, std::string& out) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

size_t count_characters(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += character_at(text, at).length;
  return count;
}

size_t byte_offset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += character_at(text, at).length;
  return at;
}

bool is_space(char32_t code) {
  if (code < 0x80) return (code >= 9 && code <= 13) || (code >= 28 && code <= 32);
  return code == 0x85 || category(code) == UTF8PROC_CATEGORY_ZS || code == 0x2028 || code == 0x2029;
}

bool is_letter(char32_t code) {
  const auto kind = category(code);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_digit(char32_t code) { return category(code) == UTF8PROC_CATEGORY_ND; }
bool is_upper(char32_t code) { return category(code) == UTF8PROC_CATEGORY_LU; }
bool is_lower(char32_t code) { return category(code) == UTF8PROC_CATEGORY_LL; }

bool is_printable(char32_t code) {
  if (code < 0x80) return code >= 0x20 && code != 0x7F;
  switch (category(code)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO: return false;
    default: return true;
  }
}

bool has_case(std::string_view text, bool want_upper) {
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (want_upper ? is_lower(character.code) : is_upper(character.code)) return false;
    found |= want_upper ? is_upper(character.code) : is_lower(character.code);
    at += character.length;
  }
  return found;
}

std::string to_upper(std::string_view text) {
  return map_case(text, [](char32_t code, std::string& out) {
    if (code == kSharpS) {
      out += "SS";
    } else {
      append_character(static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code))), out);
    }
  });
}

std::string to_lower(std::string_view text) {
  return map_case(text, [](char32_t code, std::string& out) {
    append_character(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))), out);
  });
}

ByteRange stripped(std::string_view text, Side side, const std::string_view* set) {
  const auto drops = [&](size_t at, size_t length) {
    if (set == nullptr) return is_space(character_at(text, at).code);
    return set->find(text.substr(at, length)) != std::string_view::npos;
  };
  ByteRange range{0, text.size()};
  while (side != Side::kRight && range.begin < range.end) {
    const size_t length = character_at(text, range.begin).length;
    if (!drops(range.begin, length)) break;
    range.begin += length;
  }
  while (side != Side::kLeft && range.begin < range.end) {
    const size_t start = character_before(text, range.end);
    if (!drops(start, range.end - start)) break;
    range.end = start;
  }
  return range;
}

size_t find_bytes(std::string_view text, std::string_view needle, size_t from) {
  if (needle.size() <= 1) return text.find(needle, from);
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t rfind_bytes(std::string_view text, std::string_view needle) {
  const std::string backwards(text.rbegin(), text.rend());
  const std::string mirror(needle.rbegin(), needle.rend());
  const size_t found = find_bytes(backwards, mirror, 0);
  return found == std::string_view::npos ? found : text.size() - found - needle.size();
}

}  // namespace quire::jinja
