// The filters on single values: defaults, numbers, lengths, JSON.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "chat/access.h"
#include "chat/arithmetic.h"
#include "chat/builtin_tables.h"
#include "chat/characters.h"
#include "chat/comparison.h"
#include "chat/json_text.h"
#include "chat/parameters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

Result run_default(Rendering&, const Value& self, const Arguments& arguments) {
  const bool use_default = self.is_undefined() || (read_flag(arguments[1]) && !is_true(self));
  if (!use_default) return self;
  return arguments[0] != nullptr ? *arguments[0] : Value::string("");
}

Result run_length(Rendering& rendering, const Value& self, const Arguments&) {
  const auto length = length_of(rendering, self);
  if (!length) return std::unexpected(length.error());
  return Value::integer(*length);
}

// The digits of a number in a text, without white space at the ends and single underscores between digits.
// None if underscores stand elsewhere.
std::optional<std::string> number_text(std::string_view text) {
  const ByteRange range = stripped(text, Side::kBoth);
  std::string out;
  for (size_t at = range.begin; at < range.end; ++at) {
    if (text[at] != '_') {
      out += text[at];
      continue;
    }
    const auto is_digit_at = [&](size_t i) {
      return i < range.end && std::isxdigit(static_cast<unsigned char>(text[i]));
    };
    if (at == range.begin || !is_digit_at(at - 1) || !is_digit_at(at + 1)) return std::nullopt;
  }
  return out;
}

std::optional<double> parse_float(std::string_view text) {
  auto digits = number_text(text);
  if (!digits) return std::nullopt;
  std::string_view rest = *digits;
  if (rest.starts_with('+') && !rest.starts_with("+-")) rest.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (end != rest.data() + rest.size() || rest.empty() || rest.find('(') != std::string_view::npos)
    return std::nullopt;
  if (code == std::errc::result_out_of_range) return std::strtod(digits->c_str(), nullptr);
  return code == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text, int base, bool& too_large) {
  auto digits = number_text(text);
  if (!digits) return std::nullopt;
  std::string_view rest = *digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto has_prefix = [&](char letter) {
    return rest.size() > 2 && rest[0] == '0' && (rest[1] | 0x20) == letter;
  };
  constexpr std::pair<int, char> kPrefixes[] = {{2, 'b'}, {8, 'o'}, {16, 'x'}};
  for (const auto& [prefix_base, letter] : kPrefixes) {
    if ((base != prefix_base && base != 0) || !has_prefix(letter)) continue;
    rest.remove_prefix(2);
    base = prefix_base;
    break;
  }
  if (rest.empty() || rest[0] == '-') return std::nullopt;
  const std::string signed_digits = fmt::format("{}{}", negative ? "-" : "", rest);
  int64_t number = 0;
  const char* last = signed_digits.data() + signed_digits.size();
  const auto [end, code] = std::from_chars(signed_digits.data(), last, number, base == 0 ? 10 : base);
  if (end != last) return std::nullopt;
  too_large = code == std::errc::result_out_of_range;
  return code == std::errc() ? std::optional(number) : std::nullopt;
}

Result truncated(double number, const Value& fallback) {
  if (!std::isfinite(number)) return fallback;
  if (std::abs(number) >= 0x1p63)
    return fail(ErrorCode::kInvalidArgument, "the number does not fit into 64 bits");
  return Value::integer(static_cast<int64_t>(number));
}

Result run_int(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const Value fallback = arguments[0] != nullptr ? *arguments[0] : Value::integer(0);
  if (self.is_undefined())
    return fail(ErrorCode::kInvalidArgument, "'{}' is undefined", self.undefined_name());
  if (const auto number = as_numeric(self)) {
    return number->is_integer ? Result(Value::integer(number->integer))
                              : truncated(number->number, fallback);
  }
  if (!self.is_string()) return fallback;
  const auto base = read_integer(arguments[1], "base", 10);
  if (!base) return std::unexpected(base.error());
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  bool too_large = false;
  if (*base == 0 || (*base >= 2 && *base <= 36)) {
    const auto number = parse_integer(self.as_bytes(), static_cast<int>(*base), too_large);
    if (number) return Value::integer(*number);
  }
  if (too_large) return fail(ErrorCode::kInvalidArgument, "the number does not fit into 64 bits");
  const auto number = parse_float(self.as_bytes());
  return number ? truncated(*number, fallback) : Result(fallback);
}

Result run_float(Rendering& rendering, const Value& self, const Arguments& arguments) {
  if (self.is_undefined())
    return fail(ErrorCode::kInvalidArgument, "'{}' is undefined", self.undefined_name());
  std::optional<double> number;
  if (const auto numeric = as_numeric(self)) number = numeric->number;
  if (self.is_string()) {
    if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
    number = parse_float(self.as_bytes());
  }
  if (number) return Value::number(*number);
  return arguments[0] != nullptr ? *arguments[0] : Value::number(0);
}

Result run_abs(Rendering&, const Value& self, const Arguments&) {
  const auto number = as_numeric(self);
  if (!number) return fail(ErrorCode::kInvalidArgument, "abs() does not take {}", type_name(self));
  if (!number->is_integer) return Value::number(std::abs(number->number));
  return number->integer < 0 ? negate(self) : Value::integer(number->integer);
}

// To `precision` decimals, ties to even, from the number's exact binary value.
double round_decimals(double number, int64_t precision) {
  if (!std::isfinite(number) || precision > 308) return number;
  if (precision < -308) return std::copysign(0.0, number);
  if (precision < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-precision));
    return std::nearbyint(number / scale) * scale;
  }
  char buffer[700];  // 309 digits, a point, 308 decimals
  std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), number);
  return std::strtod(buffer, nullptr);
}

Result run_round(Rendering&, const Value& self, const Arguments& arguments) {
  const auto number = as_numeric(self);
  if (!number) return fail(ErrorCode::kInvalidArgument, "round() does not take {}", type_name(self));
  const auto precision = read_integer(arguments[0], "precision", 0);
  if (!precision) return std::unexpected(precision.error());
  const std::string method =
      arguments[1] != nullptr && arguments[1]->is_string() ? arguments[1]->as_bytes() : "common";
  if (method == "common") {
    if (!number->is_integer) return Value::number(round_decimals(number->number, *precision));
    if (*precision >= 0) return Value::integer(number->integer);
    return truncated(round_decimals(number->number, *precision), Value::integer(0));
  }
  if (method != "ceil" && method != "floor") {
    return fail(ErrorCode::kInvalidArgument, "round(): the method is common, ceil or floor");
  }
  const double scale = std::pow(10.0, static_cast<double>(*precision));
  const double scaled = number->number * scale;
  return Value::number((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

Result run_tojson(Rendering& rendering, const Value& self, const Arguments& arguments) {
  JsonLayout layout;
  layout.ensure_ascii = read_flag(arguments[0]);
  layout.sort_keys = read_flag(arguments[3]);
  if (is_given(arguments[1])) {
    layout.item_separator = std::string(1, ',');
    if (arguments[1]->is_string()) {
      layout.indent = arguments[1]->as_bytes();
    } else {
      const auto width = read_integer(arguments[1], "indent", 0);
      if (!width) return std::unexpected(width.error());
      if (*width > rendering.limits().max_output_bytes)
        return rendering.fits(SIZE_MAX), rendering.exhausted();
      layout.indent = std::string(static_cast<size_t>(std::max<int64_t>(*width, 0)), ' ');
    }
  }
  if (is_given(arguments[2])) {
    const Value& pair = *arguments[2];
    if (!pair.is_array() || pair.items().size() != 2 || !pair.items()[0].is_string() ||
        !pair.items()[1].is_string()) {
      return fail(ErrorCode::kInvalidArgument, "tojson(): separators are two strings");
    }
    layout.item_separator = pair.items()[0].as_bytes();
    layout.key_separator = pair.items()[1].as_bytes();
  }
  MarkedText out;
  if (auto ok = append_json(rendering, self, layout, out); !ok) return pass(ok);
  if (!rendering.fits(out.size())) return rendering.exhausted();
  return Value::text(std::move(out));
}

constexpr Builtin kValueFilters[] = {
    {"abs", "", 0, run_abs},
    {"count", "", 0, run_length},
    {"d", "default_value boolean", 0, run_default},
    {"default", "default_value boolean", 0, run_default},
    {"float", "default", 0, run_float},
    {"int", "default base", 0, run_int},
    {"length", "", 0, run_length},
    {"round", "precision method", 0, run_round},
    {"tojson", "ensure_ascii indent separators sort_keys", 0, run_tojson},
};

}  // namespace

std::span<const Builtin> value_filters() { return kValueFilters; }

}  // namespace quire::jinja
