#include "chat/token_cursor.h"

namespace quire::jinja {
namespace {

std::string spelled(const Token& token) {
  switch (token.kind) {
    case TokenKind::kText: return "text";
    case TokenKind::kOutputBegin: return "'{{'";
    case TokenKind::kOutputEnd: return "'}}'";
    case TokenKind::kTagBegin: return "'{%'";
    case TokenKind::kTagEnd: return "'%}'";
    case TokenKind::kString: return "a string";
    case TokenKind::kEnd: return "the end of the template";
    case TokenKind::kName:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kOperator: break;
  }
  return fmt::format("'{}'", token.text.substr(0, 40));
}

}  // namespace

std::unexpected<Error> TokenCursor::expected(std::string_view what) const {
  return error(at(), "expected {}, found {}", what, spelled(current()));
}

std::unexpected<Error> TokenCursor::too_deep() const {
  return fail(ErrorCode::kResourceExhausted, "chat template, {}: nested deeper than {} levels",
              describe(at()), max_depth_);
}

Expected<> TokenCursor::expect_operator(std::string_view text) {
  if (!take_operator(text)) return expected(fmt::format("'{}'", text));
  return {};
}

Expected<> TokenCursor::expect_name(std::string_view text) {
  if (!take_name(text)) return expected(fmt::format("'{}'", text));
  return {};
}

Expected<std::string> TokenCursor::expect_any_name() {
  if (!is(TokenKind::kName)) return expected("a name");
  std::string name = current().text;
  advance();
  return name;
}

Expected<> TokenCursor::expect_tag_end() {
  if (!is(TokenKind::kTagEnd)) return expected("'%}'");
  advance();
  return {};
}

}  // namespace quire::jinja
