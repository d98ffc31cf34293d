// Where a parser stands in a template's tokens, and how deep it is nested.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "chat/lexer.h"

namespace quire::jinja {

class TokenCursor {
 public:
  // `tokens` end with kEnd.
  TokenCursor(std::vector<Token> tokens, int32_t max_depth)
      : tokens_(std::move(tokens)), max_depth_(max_depth) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& next_token() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Position at() const { return current().at; }
  bool is(TokenKind kind) const { return current().kind == kind; }
  bool is_operator(std::string_view text) const {
    return is(TokenKind::kOperator) && current().text == text;
  }
  bool is_name(std::string_view text) const { return is(TokenKind::kName) && current().text == text; }

  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  // Steps over the token if it is the one named.
  bool take_operator(std::string_view text) { return is_operator(text) && (advance(), true); }
  bool take_name(std::string_view text) { return is_name(text) && (advance(), true); }
  Expected<> expect_operator(std::string_view text);
  Expected<> expect_name(std::string_view text);
  Expected<std::string> expect_any_name();
  Expected<> expect_tag_end();

  template <class... Args>
  std::unexpected<Error> error(Position at, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kInvalidArgument, "chat template, {}: {}", describe(at),
                fmt::format(format, std::forward<Args>(args)...));
  }
  // "expected X, found Y", at the current token.
  std::unexpected<Error> expected(std::string_view what) const;
  std::unexpected<Error> too_deep() const;

  int32_t max_depth() const { return max_depth_; }

  // Counts one level of nesting while it lives; ok() is false when that is one too many.
  class Level {
   public:
    explicit Level(TokenCursor& cursor) : cursor_(cursor) { ++cursor_.depth_; }
    ~Level() { --cursor_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool ok() const { return cursor_.depth_ <= cursor_.max_depth_; }

   private:
    TokenCursor& cursor_;
  };

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int32_t depth_ = 0;
  const int32_t max_depth_;
};

}  // namespace quire::jinja
