// Template source to tokens, with Jinja's white space rules as chat templates use them (trim_blocks and
// lstrip_blocks on, the last newline of the source dropped):
// https://jinja.palletsprojects.com/templates/#whitespace-control.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace quire::jinja {

// Both count from 1; columns in bytes.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};

enum class TokenKind : uint8_t {
  kText,         // template data outside of tags
  kOutputBegin,  // {{
  kOutputEnd,    // }}
  kTagBegin,     // {%
  kTagEnd,       // %}
  kName,
  kString,  // escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Position at;
  std::string text;  // an integer's digits keep their prefix, and lose their underscores
};

// The tokens of `source`, the last of them kEnd. Errors say line and column.
Expected<std::vector<Token>> tokenize(std::string_view source);

// How an error names a place in the template.
std::string describe(Position at);

}  // namespace quire::jinja
