#include "grammar/ebnf.h"

#include <fmt/format.h>

namespace quire {
namespace {

// As an escape that means the same in literals and classes, for whatever is not a plain character.
void append_escaped(uint32_t code_point, std::string& out) {
  const bool alphanumeric = (code_point >= '0' && code_point <= '9') ||
                            (code_point >= 'a' && code_point <= 'z') ||
                            (code_point >= 'A' && code_point <= 'Z');
  if (alphanumeric || code_point == ' ' || code_point == '_') {
    out += static_cast<char>(code_point);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", code_point);
  }
}

}  // namespace

uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(at);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t code_point = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length && at + i < text.size(); ++i)
    code_point = code_point << 6 | (byte(at + i) & 0x3f);
  at += length;
  return code_point;
}

void append_utf8(uint32_t code_point, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6), tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | code_point >> 12), tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | code_point >> 18), tail(12), tail(6), tail(0);
  }
}

std::string ebnf_literal(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) append_escaped(next_code_point(text, at), out);
  return out += '"';
}

std::string ebnf_choice(std::span<const std::string> options) {
  if (options.size() == 1) return options.front();
  return fmt::format("({})", fmt::join(options, " | "));
}

std::string ebnf_repeat(std::string_view expression, int64_t least, int64_t most) {
  if (least == 1 && most == 1) return std::string(expression);
  if (most == 0) return "\"\"";
  if (least == 0 && most == 1) return fmt::format("({})?", expression);
  if (most < 0 && least <= 1) return fmt::format("({}){}", expression, least == 0 ? '*' : '+');
  if (most < 0) return fmt::format("({}){{{},}}", expression, least);
  return fmt::format("({}){{{},{}}}", expression, least, most);
}

std::string EbnfRules::reserve(std::string_view stem) { return fmt::format("{}_{}", stem, num_rules_++); }

void EbnfRules::define(std::string_view name, std::string_view body) {
  offered_bytes_ += name.size() + body.size();
  fmt::format_to(std::back_inserter(text_), "{} ::= {}\n", name, body);
}

std::string EbnfRules::add(std::string_view stem, std::string_view body, std::string_view options) {
  const std::string definition =
      options.empty() ? fmt::format(" ::= {}\n", body) : fmt::format("[{}] ::= {}\n", options, body);
  offered_bytes_ += definition.size();
  const auto [known, fresh] = by_body_.try_emplace(definition);
  if (fresh) {
    known->second = reserve(stem);
    text_ += known->second + definition;
  }
  return known->second;
}

}  // namespace quire
