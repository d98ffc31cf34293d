#include "chat/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quire::jinja {
namespace {

// The tokens' texts, with | between; an opener or closer is shown as itself.
std::string shown(std::string_view source) {
  const auto tokens = tokenize(source);
  if (!tokens) return tokens.error().message;
  std::string out;
  for (const Token& token : *tokens) {
    switch (token.kind) {
      case TokenKind::kOutputBegin: out += "{{|"; break;
      case TokenKind::kOutputEnd: out += "}}|"; break;
      case TokenKind::kTagBegin: out += "{%|"; break;
      case TokenKind::kTagEnd: out += "%}|"; break;
      case TokenKind::kEnd: out += "end"; break;
      default: out += token.text + "|";
    }
  }
  return out;
}

TEST(Lexer, SplitsTextAndTags) {
  EXPECT_EQ(shown("a{{ b.c }}d"), "a|{{|b|.|c|}}|d|end");
  EXPECT_EQ(shown("{% if x >= 1.5 %}"), "{%|if|x|>=|1.5|%}|end");
  EXPECT_EQ(shown(""), "end");
  EXPECT_EQ(shown("{# gone #}"), "end");
}

TEST(Lexer, WithinBracketsClosersAreOperators) {
  EXPECT_EQ(shown("{{ {'a': {}} }}"), "{{|{|a|:|{|}|}|}}|end");
  EXPECT_EQ(shown("{{ [1 }}"), "chat template, line 1, column 7: unexpected '}'");
}

TEST(Lexer, ReadsNumbers) {
  EXPECT_EQ(shown("{{ 1_000 0x_ff 1e5 2.5e-3 x.0.1 1.x }}"),
            "{{|1000|0xff|1e5|2.5e-3|x|.|0|.|1|1|.|x|}}|end");
  EXPECT_EQ(shown("{{ 012 }}"), "chat template, line 1, column 4: a number with leading zeros");
}

TEST(Lexer, ResolvesEscapes) {
  EXPECT_EQ(shown(R"({{ 'a\n\x41\u00e9\q\'' "\101" }})"), "{{|a\nA\u00e9\\q'|A|}}|end");
  EXPECT_EQ(shown(R"({{ '\ud800' }})"), "chat template, line 1, column 5: this escape is no character");
  EXPECT_EQ(shown(R"({{ '\x4' }})"), "chat template, line 1, column 5: this escape has too few digits");
}

TEST(Lexer, KnowsWhereTokensAre) {
  const auto tokens = tokenize("one\ntwo {{ a\n + b }}\r\n{{ c }}");
  ASSERT_TRUE(tokens);
  std::vector<std::pair<uint32_t, uint32_t>> names;
  for (const Token& token : *tokens) {
    if (token.kind == TokenKind::kName) names.emplace_back(token.at.line, token.at.column);
  }
  EXPECT_EQ(names, (std::vector<std::pair<uint32_t, uint32_t>>{{2, 8}, {3, 4}, {4, 4}}));
}

TEST(Lexer, SaysWhatIsNeverClosed) {
  EXPECT_EQ(shown("\n {{ a"), "chat template, line 2, column 2: this tag is never closed");
  EXPECT_EQ(shown("{# a\n\n"), "chat template, line 1, column 1: this comment is never closed");
  EXPECT_EQ(shown("x{% raw %}\n{{"), "chat template, line 1, column 2: this raw block is never closed");
  EXPECT_EQ(shown("{{ 'a\n }}"), "chat template, line 1, column 4: this string is never closed");
}

}  // namespace
}  // namespace quire::jinja
