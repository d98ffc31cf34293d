#include "chat/call_arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "chat/json_scanner.h"

namespace quire {
namespace {

// `text`, or as much of it as makes sense, and what closes it.
std::optional<std::string> closed_object(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kJsonSpaces), text.size()));
  text = text.substr(0, text.find_last_not_of(kJsonSpaces) + 1);
  if (!text.starts_with('{')) return std::nullopt;
  JsonScanner scanner;
  size_t end = 0;
  std::string closers;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool ends_value = text[i] == ',' && !scanner.in_string();
    const auto status = scanner.push(text[i]);
    if (status == JsonScanner::Status::kFailed) return std::nullopt;
    if (status == JsonScanner::Status::kDone) {
      return i + 1 == text.size() ? std::optional(std::string(text)) : std::nullopt;
    }
    if (ends_value) end = i;
    if (scanner.can_close()) end = i + 1;
  }
  // The containers that are open at `end` are not those that are open now.
  JsonScanner again;
  for (const char c : text.substr(0, end)) again.push(c);
  return std::string(text.substr(0, end)) + again.closers();
}

// Of the four digits at `at`; 0 where there is no \u escape.
uint32_t escaped_unit(std::string_view json, size_t at) {
  uint32_t unit = 0;
  const std::string_view escape = json.substr(std::min(at, json.size()), 6);
  if (escape.size() == 6 && escape.starts_with("\\u")) {
    std::from_chars(escape.data() + 2, escape.data() + 6, unit, 16);
  }
  return unit;
}

// Appends the escape at `at`. Returns its length.
size_t append_escape(std::string_view json, size_t at, std::string& out) {
  const uint32_t unit = escaped_unit(json, at);
  const bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
  const uint32_t next = is_high ? escaped_unit(json, at + 6) : 0;
  const bool has_partner = next >= 0xDC00 && next < 0xE000;
  const size_t length = json[at + 1] != 'u' ? 2 : has_partner ? 12 : 6;
  out += is_low || (is_high && !has_partner) ? "\\ufffd" : json.substr(at, length);
  return length;
}

void append_number(std::string_view number, std::string& out) {
  const auto fits = [&](auto value) {
    return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc();
  };
  const bool is_integer = number.find_first_of(".eE") == std::string_view::npos;
  if (!fits(double{})) {
    // strtod says on which side it is out of range.
    const bool is_small = std::abs(std::strtod(std::string(number).c_str(), nullptr)) < 1;
    out += is_small ? "0" : number.starts_with('-') ? "-1.7976931348623157e308" : "1.7976931348623157e308";
    return;
  }
  out += number;
  if (is_integer && !fits(int64_t{}) && !fits(uint64_t{})) out += "e0";
}

}  // namespace

std::optional<std::string> readable_arguments(std::string_view text) {
  const auto json = closed_object(text);
  if (!json) return std::nullopt;
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < json->size();) {
    const char c = (*json)[i];
    if (in_string && c == '\\') {
      i += append_escape(*json, i, out);
    } else if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
      const size_t end = json->find_first_not_of("+-.0123456789eE", i);  // there is a } at least
      append_number(std::string_view(*json).substr(i, end - i), out);
      i = end;
    } else {
      if (c == '"') in_string = !in_string;
      out += c;
      ++i;
    }
  }
  return out;
}

}  // namespace quire
