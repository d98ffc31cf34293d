#include "grammar/ebnf_check.h"

#include <gtest/gtest.h>

#include <string>

namespace quire {
namespace {

std::string ebnf_error(const std::string& text) {
  GrammarBudget budget;
  const auto counts = check_ebnf(text, budget);
  return counts ? "none" : counts.error().message;
}

std::string in_a_row(int count, const std::string& part) {
  std::string out = "root ::=";
  for (int i = 0; i < count; ++i) out += " " + part;
  return out;
}

TEST(EbnfCheck, CountsWhatIsRepeated) {
  GrammarBudget budget;
  EXPECT_EQ(check_ebnf("root ::= [a-z]{3} (\"b\"{2,5})? # {9}\r\nx ::= \"{7}\" [{8}] \"c\"{4,}", budget),
            3 + 5 + 4);
}

// xgrammar skips blanks and comments between any two of its tokens, and ends comments at \r too.
TEST(EbnfCheck, BlanksAndCommentsHideNothing) {
  for (const char* text : {"root ::= Regex (\"a\")", "root ::= Token (5)", "root ::= TagDispatch\n(\"a\")",
                           "root ::= Substring # x\n (\"a\")", "root ::= # x\rRegex (\"a\")"}) {
    EXPECT_TRUE(ebnf_error(text).contains("macros")) << text << ": " << ebnf_error(text);
  }
  for (const char* text : {"root ::= \"a\"{1 #}\n,1000000000}", "root ::= \"a\"{ 1 , 1000000000 }",
                           "root ::= \"b\" # x\r\"a\"{1000000000}"}) {
    EXPECT_TRUE(ebnf_error(text).contains("repeats too much")) << text << ": " << ebnf_error(text);
  }
  EXPECT_TRUE(ebnf_error("root[temperature=0.5] ::= \"a\"").contains("attributes"));
}

TEST(EbnfCheck, AGrammarHasARuleRoot) {
  for (const char* text : {"start: \"a\" | /b+/", "", "?start: x -> y", "a ::= \"root\"",
                           "# root ::= \"a\"", "a ::= root", "root2 ::= \"a\""}) {
    EXPECT_TRUE(ebnf_error(text).contains("root ::= \"a\"")) << text << ": " << ebnf_error(text);
  }
  for (const char* text : {"root::=\"a\"", "a ::= \"b\"\nroot # rule\n::= a"})
    EXPECT_EQ(ebnf_error(text), "none");
}

// xgrammar takes them for bytes or code points beyond Unicode.
TEST(EbnfCheck, EscapesAreCharacters) {
  for (const char* text :
       {R"(root ::= "\U00110000")", R"(root ::= "\xfffffffffffffff0")", R"(root ::= [\ud800-\udfff])",
        R"(root ::= [a-\U7fffffff])", R"(root ::= "\x110000")"}) {
    EXPECT_TRUE(ebnf_error(text).contains("no character")) << text << ": " << ebnf_error(text);
  }
  EXPECT_EQ(ebnf_error(R"(root ::= "\U0010ffff\u00e9\x41\\u" [\]\[\x00-\x1f] "\"\\xd800")"), "none");
}

// As with patterns: large sets, sets that may be left out, long rows.
TEST(EbnfCheck, WhatTakesLongToCompileIsKnown) {
  EXPECT_EQ(ebnf_error(in_a_row(300, "[^a]")), "none");
  EXPECT_EQ(ebnf_error(in_a_row(20, "[^a]?")), "none");
  EXPECT_EQ(ebnf_error(in_a_row(1000, "\"a\"?")), "none");
  EXPECT_EQ(ebnf_error("root ::= [^a]{500} [a-z]{2000}"), "none");
  for (const std::string& text : {in_a_row(1100, "[^a]"), in_a_row(100, "[^a]?"), in_a_row(100, "([a-z])?"),
                                  in_a_row(5000, "root"), in_a_row(20, "[^a]{100}")}) {
    EXPECT_TRUE(ebnf_error(text).contains("too long to compile"))
        << text.substr(0, 50) << ": " << ebnf_error(text);
  }
}

}  // namespace
}  // namespace quire
