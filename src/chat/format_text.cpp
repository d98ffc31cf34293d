#include "chat/format_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "chat/characters.h"
#include "chat/comparison.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

constexpr size_t kMaxWidth = 1000;
constexpr size_t kMaxPrecision = 100;

// One %-directive: %[(key)][flags][width][.precision]type
struct Directive {
  std::string_view key;
  bool has_key = false;
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  size_t width = 0;
  std::optional<size_t> precision;
  char type = 0;
};

std::unexpected<Error> bad_format(std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, "in a format: {}", why);
}

// Reads digits from `at`; false if the number is over `limit`.
bool read_number(std::string_view text, size_t& at, size_t limit, size_t& number) {
  for (number = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + static_cast<size_t>(text[at] - '0');
    if (number > limit) return false;
  }
  return true;
}

// `at` is after the '%', and then after the directive.
Expected<Directive> read_directive(std::string_view text, size_t& at) {
  Directive directive;
  if (at < text.size() && text[at] == '(') {
    const size_t end = text.find(')', at);
    if (end == std::string_view::npos) return bad_format("a key without ')'");
    directive.key = text.substr(at + 1, end - at - 1);
    directive.has_key = true;
    at = end + 1;
  }
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '-')
      directive.left = true;
    else if (c == '+')
      directive.plus = true;
    else if (c == ' ')
      directive.space = true;
    else if (c == '0')
      directive.zero = true;
    else if (c == '#')
      directive.alternate = true;
    else
      break;
  }
  if (!read_number(text, at, kMaxWidth, directive.width)) return bad_format("a field too wide");
  if (at < text.size() && text[at] == '.') {
    ++at;
    size_t precision = 0;
    if (!read_number(text, at, kMaxPrecision, precision)) return bad_format("a precision too large");
    directive.precision = precision;
  }
  if (at >= text.size()) return bad_format("it ends within a directive");
  directive.type = text[at++];
  return directive;
}

std::string sign_of(const Directive& directive, bool is_negative) {
  return is_negative ? "-" : directive.plus ? "+" : directive.space ? " " : "";
}

// Digits with their sign, filled with zeros if the directive asks so.
MarkedText signed_number(const Directive& directive, bool is_negative, std::string digits) {
  std::string sign = sign_of(directive, is_negative);
  const size_t length = sign.size() + digits.size();
  if (directive.zero && !directive.left && length < directive.width) {
    sign.append(directive.width - length, '0');
  }
  return MarkedText(sign + digits);
}

Expected<MarkedText> format_integer(const Directive& directive, const Value& value) {
  const auto number = as_numeric(value);
  const bool decimal = directive.type == 'd' || directive.type == 'i' || directive.type == 'u';
  if (!number || (!decimal && !number->is_integer)) {
    return bad_format(fmt::format("%{} does not take {}", directive.type, type_name(value)));
  }
  if (!number->is_integer && !(std::abs(number->number) < 0x1p63)) return bad_format("a number too large");
  const int64_t integer = number->is_integer ? number->integer : static_cast<int64_t>(number->number);
  const uint64_t magnitude =
      integer < 0 ? 0 - static_cast<uint64_t>(integer) : static_cast<uint64_t>(integer);
  std::string digits;
  switch (directive.type) {
    case 'x': digits = fmt::format("{:x}", magnitude); break;
    case 'X': digits = fmt::format("{:X}", magnitude); break;
    case 'o': digits = fmt::format("{:o}", magnitude); break;
    default: digits = std::to_string(magnitude);
  }
  if (directive.precision && digits.size() < *directive.precision) {
    digits.insert(0, *directive.precision - digits.size(), '0');
  }
  if (directive.alternate && !decimal) digits.insert(0, std::string("0") + directive.type);
  return signed_number(directive, integer < 0, std::move(digits));
}

Expected<MarkedText> format_float(const Directive& directive, const Value& value) {
  const auto number = as_numeric(value);
  if (!number) return bad_format(fmt::format("%{} does not take {}", directive.type, type_name(value)));
  const double magnitude = std::abs(number->number);
  const int precision = static_cast<int>(directive.precision.value_or(6));
  char buffer[512];  // a double has at most 309 digits before the point
  int length = 0;
  switch (directive.type) {
    case 'e': length = std::snprintf(buffer, sizeof buffer, "%.*e", precision, magnitude); break;
    case 'E': length = std::snprintf(buffer, sizeof buffer, "%.*E", precision, magnitude); break;
    case 'g': length = std::snprintf(buffer, sizeof buffer, "%.*g", precision, magnitude); break;
    case 'G': length = std::snprintf(buffer, sizeof buffer, "%.*G", precision, magnitude); break;
    default: length = std::snprintf(buffer, sizeof buffer, "%.*f", precision, magnitude);
  }
  return signed_number(directive, std::signbit(number->number),
                       std::string(buffer, static_cast<size_t>(length)));
}

Expected<MarkedText> format_character(const Value& value) {
  if (value.is_string() && count_characters(value.as_bytes()) == 1) return value.as_text();
  const bool is_code = value.is_integer() && value.as_integer() >= 0 && value.as_integer() <= 0x10FFFF;
  if (!is_code || (value.as_integer() >= 0xD800 && value.as_integer() <= 0xDFFF)) {
    return bad_format("%c takes one character or its code");
  }
  std::string bytes;
  append_character(static_cast<char32_t>(value.as_integer()), bytes);
  return MarkedText(std::move(bytes));
}

Expected<MarkedText> format_one(Rendering& rendering, const Directive& directive, const Value& value) {
  switch (directive.type) {
    case 's':
    case 'r': {
      MarkedText text;
      const auto append = directive.type == 's' ? append_str : append_repr;
      if (auto ok = append(rendering, value, text); !ok) return pass(ok);
      if (!directive.precision) return text;
      return text.slice(0, byte_offset(text.bytes(), *directive.precision));
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': return format_integer(directive, value);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return format_float(directive, value);
    case 'c': return format_character(value);
    default: return bad_format(fmt::format("unknown directive %{}", directive.type));
  }
}

// The values of a %-format, taken in order or by key.
class PercentValues {
 public:
  explicit PercentValues(const Value& values) : values_(values) {}

  Expected<const Value*> next(const Directive& directive) {
    if (directive.has_key) {
      if (!values_.is_object()) return bad_format("%(...) needs a dict");
      const Value* found = values_.find(directive.key);
      if (found == nullptr)
        return bad_format(fmt::format("no value for '{}'", directive.key.substr(0, 80)));
      return found;
    }
    const size_t index = taken_++;
    if (values_.is_array_of(Value::ArrayKind::kTuple)) {
      if (index >= values_.items().size()) return bad_format("too few values");
      return &values_.items()[index];
    }
    if (index > 0) return bad_format("too few values");
    return &values_;
  }

  bool all_taken() const {
    if (values_.is_array_of(Value::ArrayKind::kTuple)) return taken_ >= values_.items().size();
    return taken_ > 0 || values_.is_object() || values_.is_array();
  }

 private:
  const Value& values_;
  size_t taken_ = 0;
};

}  // namespace

Expected<Value> format_percent(Rendering& rendering, const MarkedText& format, const Value& values) {
  if (!rendering.spend_bytes(format.size())) return rendering.exhausted();
  const std::string_view text = format.bytes();
  PercentValues remaining(values);
  MarkedText out;
  size_t at = 0;
  while (true) {
    const size_t percent = std::min(text.find('%', at), text.size());
    out.append(format, at, percent);
    if (percent == text.size()) break;
    at = percent + 1;
    const auto directive = read_directive(text, at);
    if (!directive) return std::unexpected(directive.error());
    if (directive->type == '%') {
      out.append("%", false);
      continue;
    }
    const auto value = remaining.next(*directive);
    if (!value) return std::unexpected(value.error());
    auto piece = format_one(rendering, *directive, **value);
    if (!piece) return pass(piece);
    const size_t length = count_characters(piece->bytes());
    const std::string padding(length < directive->width ? directive->width - length : 0, ' ');
    if (!rendering.spend_bytes(piece->size() + padding.size())) return rendering.exhausted();
    if (!directive->left) out.append(padding, false);
    out.append(*piece);
    if (directive->left) out.append(padding, false);
    if (!rendering.fits(out.size())) return rendering.exhausted();
  }
  if (!remaining.all_taken()) return bad_format("not all values were used");
  return Value::text(std::move(out));
}

Expected<Value> format_braces(Rendering& rendering, const MarkedText& format, const Arguments& arguments) {
  if (!rendering.spend_bytes(format.size())) return rendering.exhausted();
  const std::string_view text = format.bytes();
  MarkedText out;
  size_t automatic = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t brace = std::min(text.find_first_of("{}", at), text.size());
    out.append(format, at, brace);
    at = brace;
    if (at == text.size()) break;
    if (at + 1 < text.size() && text[at + 1] == text[at]) {
      out.append(format, at, at + 1);
      at += 2;
      continue;
    }
    const size_t end = text.find('}', at);
    if (text[at] == '}' || end == std::string_view::npos) return bad_format("a single brace");
    const std::string_view field = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (field.find_first_of(":!.[{") != std::string_view::npos) {
      return fail(ErrorCode::kUnsupported,
                  "format() fields with attributes or specifications are not supported");
    }
    const Value* value = nullptr;
    size_t index = automatic, digits = 0;
    if (field.empty()) {
      ++automatic;
    } else if (!read_number(field, digits, kMaxWidth, index) || digits != field.size()) {
      value = arguments.find_named(field);
      index = arguments.positional.size();
    }
    if (index < arguments.positional.size()) value = &arguments.positional[index];
    if (value == nullptr) return bad_format("a field without a value");
    if (auto ok = append_str(rendering, *value, out); !ok) return pass(ok);
  }
  return Value::text(std::move(out));
}

}  // namespace quire::jinja
