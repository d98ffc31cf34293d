#include "chat/python_text.h"

#include <charconv>
#include <cmath>

#include "chat/characters.h"

namespace quire::jinja {
namespace {

void append_escaped(std::string_view piece, char quote, std::string& out) {
  for (size_t at = 0; at < piece.size();) {
    const Character character = character_at(piece, at);
    const char32_t code = character.code;
    if (code == static_cast<char32_t>(quote) || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (is_printable(code)) {
      out.append(piece, at, character.length);
    } else if (code < 0x100) {
      out += fmt::format("\\x{:02x}", static_cast<uint32_t>(code));
    } else if (code < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(code));
    } else {
      out += fmt::format("\\U{:08x}", static_cast<uint32_t>(code));
    }
    at += character.length;
  }
}

Expected<> append_text_repr(Rendering& rendering, const MarkedText& text, MarkedText& out) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  const bool has_single = text.bytes().find('\'') != std::string::npos;
  const bool has_double = text.bytes().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.append(std::string_view(&quote, 1), false);
  out.append(map_pieces(text, [quote](std::string_view piece) {
    std::string escaped;
    append_escaped(piece, quote, escaped);
    return escaped;
  }));
  out.append(std::string_view(&quote, 1), false);
  return {};
}

Expected<> append_array_repr(Rendering& rendering, const Value& value, MarkedText& out) {
  const bool is_tuple = value.is_array_of(Value::ArrayKind::kTuple);
  out.append(is_tuple ? "(" : "[", false);
  bool first = true;
  for (const Value& item : value.items()) {
    if (!first) out.append(", ", false);
    first = false;
    if (auto ok = append_repr(rendering, item, out); !ok) return ok;
  }
  if (is_tuple && value.items().size() == 1) out.append(",", false);
  out.append(is_tuple ? ")" : "]", false);
  return {};
}

Expected<> append_object_repr(Rendering& rendering, const Value& value, MarkedText& out) {
  out.append("{", false);
  bool first = true;
  for (const auto& [key, member] : value.members()) {
    if (!first) out.append(", ", false);
    first = false;
    if (auto ok = append_repr(rendering, key, out); !ok) return ok;
    out.append(": ", false);
    if (auto ok = append_repr(rendering, member, out); !ok) return ok;
  }
  out.append("}", false);
  return {};
}

}  // namespace

Expected<> append_repr(Rendering& rendering, const Value& value, MarkedText& out) {
  if (!rendering.spend(1) || !rendering.fits(out.size())) return rendering.exhausted();
  switch (value.type()) {
    case Value::Type::kUndefined: out.append("Undefined", false); return {};
    case Value::Type::kNull: out.append("None", false); return {};
    case Value::Type::kBoolean: out.append(value.as_boolean() ? "True" : "False", false); return {};
    case Value::Type::kInteger: out.append(std::to_string(value.as_integer()), false); return {};
    case Value::Type::kNumber: out.append(float_repr(value.as_number()), false); return {};
    case Value::Type::kString: return append_text_repr(rendering, value.as_text(), out);
    case Value::Type::kArray: return append_array_repr(rendering, value, out);
    case Value::Type::kObject: return append_object_repr(rendering, value, out);
    case Value::Type::kTemplateObject:
      out.append(fmt::format("<{}>", value.as_template_object().description()), false);
      return {};
  }
  return {};
}

Expected<> append_str(Rendering& rendering, const Value& value, MarkedText& out) {
  if (value.is_undefined()) return {};
  if (value.is_string()) {
    if (!rendering.spend_bytes(value.as_text().size())) return rendering.exhausted();
    out.append(value.as_text());
  } else if (auto ok = append_repr(rendering, value, out); !ok) {
    return ok;
  }
  if (!rendering.fits(out.size())) return rendering.exhausted();
  return {};
}

Expected<Value> to_str(Rendering& rendering, const Value& value) {
  if (value.is_string()) return value;
  MarkedText out;
  if (auto ok = append_str(rendering, value, out); !ok) return pass(ok);
  return Value::text(std::move(out));
}

std::string float_repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));  // [-]d[.ddd]e[+-]dd
  std::string out;
  if (text.starts_with('-')) out = "-", text.remove_prefix(1);
  const size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (count > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1)
    return out + digits + std::string(static_cast<size_t>(exponent + 1 - count), '0') + ".0";
  const auto point = static_cast<size_t>(exponent + 1);
  return out + digits.substr(0, point) + "." + digits.substr(point);
}

std::string_view type_name(const Value& value) {
  switch (value.type()) {
    case Value::Type::kUndefined: return "undefined";
    case Value::Type::kNull: return "none";
    case Value::Type::kBoolean: return "bool";
    case Value::Type::kInteger: return "int";
    case Value::Type::kNumber: return "float";
    case Value::Type::kString: return "str";
    case Value::Type::kArray: return value.is_array_of(Value::ArrayKind::kTuple) ? "tuple" : "list";
    case Value::Type::kObject: return "dict";
    case Value::Type::kTemplateObject: return value.as_template_object().description();
  }
  return "value";
}

}  // namespace quire::jinja
