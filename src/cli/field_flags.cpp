#include "cli/field_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/byte_size.h"

namespace quire {

std::string flag_name(std::string_view field_name) {
  std::string name = "--" + std::string(field_name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

Expected<double> parse_field_number(std::string_view text, FieldUnit unit, bool integral) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool bare = error == std::errc{} && end == text.data() + text.size();
  if (unit == FieldUnit::kBytes || (unit == FieldUnit::kGibibytes && !bare)) {
    const auto bytes = parse_byte_size(text);
    if (!bytes) return std::unexpected(bytes.error());
    return unit == FieldUnit::kBytes ? static_cast<double>(*bytes)
                                     : static_cast<double>(*bytes) * 0x1.0p-30;
  }
  if (!bare || !std::isfinite(number)) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a number", text);
  }
  if (integral && number != std::floor(number)) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a whole number", text);
  }
  return number;
}

std::string text_value_name(std::string_view field_name, std::string_view choices) {
  if (!choices.empty()) return std::string(choices);
  return field_name.ends_with("file") || field_name == "chat_template" ? "FILE"
         : field_name.ends_with("dir")                                 ? "FOLDER"
                                                                       : "TEXT";
}

std::string value_name(FieldUnit unit, bool integral) {
  switch (unit) {
    case FieldUnit::kBytes: return "SIZE";
    case FieldUnit::kGibibytes: return "GIB";
    case FieldUnit::kSeconds: return "SECONDS";
    case FieldUnit::kMilliseconds: return "MS";
    case FieldUnit::kTokens: return "TOKENS";
    case FieldUnit::kNone: break;
  }
  return integral ? "N" : "NUMBER";
}

std::string default_text(double value, FieldUnit unit) {
  if (unit == FieldUnit::kBytes) return format_byte_size(static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

namespace field_flags_detail {

void refuse(std::string_view field_name, const Error& error) {
  const std::string flag = flag_name(field_name);
  std::string message = error.message;
  if (message.starts_with(field_name)) message = message.substr(field_name.size());
  throw CLI::ValidationError(flag + (message == error.message ? ": " : "") + message, 2);
}

void check_choice(std::string_view field_name, std::string_view choices, const std::string& value) {
  if (choices.empty()) return;
  const std::string listed = fmt::format("|{}|", choices);
  if (value.find('|') == std::string::npos && listed.find("|" + value + "|") != std::string::npos) return;
  std::string spoken(choices);
  for (size_t at = 0; (at = spoken.find('|', at)) != std::string::npos; at += 2)
    spoken.replace(at, 1, ", ");
  refuse(field_name,
         Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is none of {}", value, spoken), {}});
}

}  // namespace field_flags_detail
}  // namespace quire
