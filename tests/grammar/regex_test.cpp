#include "grammar/regex.h"

#include <gtest/gtest.h>

#include <regex>

#include "base/rng.h"
#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

std::string random_text(std::string_view alphabet, uint64_t seed) {
  std::string text;
  for (uint64_t i = 0; i < random_bits(seed, 0) % 9; ++i)
    text += alphabet[random_bits(seed, i + 1) % alphabet.size()];
  return text;
}

// Against the standard library's, on whole texts.
TEST(Regex, MatchesWhatTheStandardLibraryMatches) {
  GrammarFixture fixture;
  for (const char* pattern :
       {"a",     "a|b",           "ab*",    "(ab)+",   "[a-c]{2,4}",     "[^a-c]b?",     "(a|b|)c",
        "a{3}",  "(a|bc){1,2}-?", "\\d+",   "\\w-\\w", "[\\d-]+",        "a.c",          "(?:ab){2,}",
        "a{0}b", "[b-]{1,3}",     "\\.\\*", "a+?b",    "[\\w.]+-\\d{2}", "(a(b(c)?)?)?", ""}) {
    const std::basic_regex<char> reference(pattern);
    const auto grammar = fixture.compile(GrammarKind::kRegex, pattern);
    ASSERT_NE(grammar, nullptr) << pattern;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      const std::string text = random_text("aabbc-1.*", seed);
      ASSERT_EQ(accepts(grammar, text), regex_match(text, reference)) << pattern << " on " << text;
    }
  }
}

TEST(Regex, AnchorsAtItsEndsChangeNothing) {
  GrammarFixture fixture;
  const auto grammar = fixture.compile(GrammarKind::kRegex, "^ab$|^c$");
  EXPECT_TRUE(accepts(grammar, "ab"));
  EXPECT_TRUE(accepts(grammar, "c"));
  EXPECT_FALSE(accepts(grammar, "abc"));
}

// \w is a letter of ASCII or any letter, \W neither: in doubt a character is in none.
TEST(Regex, WhatDialectsReadDifferentlyIsLeftOut) {
  GrammarFixture fixture;
  for (const char* pattern : {"\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "[^\\w]"}) {
    EXPECT_FALSE(accepts(fixture.compile(GrammarKind::kRegex, pattern), "é")) << pattern;
  }
  EXPECT_TRUE(accepts(fixture.compile(GrammarKind::kRegex, "[^a]"), "é"));
  EXPECT_TRUE(accepts(fixture.compile(GrammarKind::kRegex, "[à-ü]"), "é"));
  EXPECT_TRUE(accepts(fixture.compile(GrammarKind::kRegex, "\\u00e9\\u{1F600}"), "é😀"));
}

// Half a surrogate pair is no character, whichever range it lies in.
TEST(Regex, SurrogatesAreInNoSet) {
  GrammarFixture fixture;
  for (const char* pattern : {"[\\u0000-\\uffff]", "[\\u0000-\\u{10ffff}]", "[^a]", "[\\ud7ff-\\ue000]"}) {
    const auto node = parse_regex(pattern);
    ASSERT_TRUE(node) << pattern;
    for (const auto& [first, last] : node->children.at(0).set)
      EXPECT_FALSE(first < 0xe000 && last >= 0xd800) << pattern;
    const auto grammar = fixture.compile(GrammarKind::kRegex, pattern);
    EXPECT_TRUE(accepts(grammar, "\xed\x9f\xbf") && accepts(grammar, "\xee\x80\x80")) << pattern;
    EXPECT_FALSE(accepts(grammar, "\xed\xa0\x80") || accepts(grammar, "\xed\xbf\xbf")) << pattern;
  }
}

TEST(Regex, WhatIsNotSupportedIsNamed) {
  GrammarFixture fixture;
  const std::pair<const char*, const char*> cases[] = {{"(?=a)", "look-around"},
                                                       {"(?<!a)b", "look-behind"},
                                                       {"(a)\\1", "back reference"},
                                                       {"\\bword", "word boundary"},
                                                       {"\\p{L}", "Unicode"},
                                                       {"a^b", "anchor"},
                                                       {"a$b", "anchor"},
                                                       {"(a", "without a ')'"},
                                                       {"a)", "closes nothing"},
                                                       {"[a", "without a ']'"},
                                                       {"*a", "repetition of nothing"},
                                                       {"a**", "two repetitions"},
                                                       {"a{3,1}", "more to less"},
                                                       {"[z-a]", "more to less"},
                                                       {"a{,3}", "least count"},
                                                       {"\\", "backslash"},
                                                       {"[^\\s\\S]", "no character"},
                                                       {"(((a{100}){100}){100}){100}", "written out"},
                                                       {"\\uD800", "no character"}};
  for (const auto& [pattern, message] : cases) {
    EXPECT_NE(fixture.error(GrammarKind::kRegex, pattern).find(message), std::string::npos)
        << pattern << ": " << fixture.error(GrammarKind::kRegex, pattern);
  }
  EXPECT_NE(
      fixture.error(GrammarKind::kRegex, std::string(100, '(') + std::string(100, ')')).find("deeply"),
      std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kRegex, std::string(kMaxRegexBytes + 1, 'a')).find("bytes"),
            std::string::npos);
}

// What takes long to compile is known before: where a text may be at many places of the pattern at once.
TEST(Regex, CostsWhatItTakesToCompile) {
  const auto cost = [](const std::string& pattern) { return cost_of(*parse_regex(pattern)); };
  const auto times = [](int count, const std::string& text) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  EXPECT_EQ(cost(""), 0);
  EXPECT_EQ(cost("abc"), 3);
  EXPECT_EQ(cost("[a-z]{100}"), 100);
  EXPECT_EQ(cost("[a-z]{0,100}"), 100);
  EXPECT_EQ(cost("[^a]{100}"), 200);
  EXPECT_EQ(cost(times(60, ".*")), 120);
  EXPECT_EQ(cost("[a-z]{1,24}(-[a-z]{1,24}){0,2}@[a-z]{2,10}"), 24 + 2 * 25 + 1 + 10);
  const auto fits = [](const std::string& pattern) {
    GrammarBudget budget;
    return to_ebnf(*parse_regex(pattern), TextForm::kPlain, budget).has_value();
  };
  for (const std::string& pattern :
       {times(100, "[^a]?"), times(100, "[a-z]?"), std::string("(.{0,10}){10}"),
        std::string("(.{1,10}){10}"), std::string(".{0,60}.{0,60}.{0,60}"), std::string("(.?.?.?.?.?){20}"),
        times(500, "a?")}) {
    EXPECT_GT(cost(pattern), kMaxGrammarCost) << pattern;
    EXPECT_FALSE(fits(pattern)) << pattern;
  }
  for (const std::string& pattern :
       {times(20, ".?"), std::string(R"(\w+([-+.']\w+)*@\w+([-.]\w+)*\.\w+([-.]\w+)*)"),
        std::string(".{500}"), std::string("(.{15}ab|.{15}cd|.{15}ef|.{15}gh)")}) {
    EXPECT_TRUE(fits(pattern)) << cost(pattern);
  }
}

// As long as what they cost allows.
TEST(Regex, LongPatterns) {
  GrammarFixture fixture;
  const auto text = [](size_t count, char c) { return std::string(count, c); };
  const std::string literal = text(2000, 'x') + "y";
  const auto of_literal = fixture.compile(GrammarKind::kRegex, literal);
  EXPECT_TRUE(accepts(of_literal, literal));
  EXPECT_FALSE(accepts(of_literal, text(2001, 'x')));
  const auto counted = fixture.compile(GrammarKind::kRegex, "[a-z]{600,2000}");
  for (const size_t count : {600, 601, 2000}) EXPECT_TRUE(accepts(counted, text(count, 'b'))) << count;
  for (const size_t count : {0, 599, 2001}) EXPECT_FALSE(accepts(counted, text(count, 'b'))) << count;
  const auto any = fixture.compile(GrammarKind::kRegex, ".{1,1000}");
  EXPECT_TRUE(accepts(any, text(1000, '.')));
  EXPECT_FALSE(accepts(any, text(1001, '.')));
  EXPECT_EQ(cost_of(*parse_regex("[a-z]{2048}")), kMaxRegexSize);
  EXPECT_TRUE(fixture.error(GrammarKind::kRegex, "[a-z]{2049}").contains("maxLength"));
  EXPECT_TRUE(fixture.error(GrammarKind::kRegex, ".{1,1025}").contains("too long to compile"));
}

TEST(Regex, LengthsAreKept) {
  const auto range = [](const char* pattern) {
    const LengthRange r = lengths(*parse_regex(pattern));
    return std::pair(r.least, r.most);
  };
  EXPECT_EQ(range("abc"), std::pair(int64_t{3}, int64_t{3}));
  EXPECT_EQ(range("a|bcd"), std::pair(int64_t{1}, int64_t{3}));
  EXPECT_EQ(range("(ab){2,3}c?"), std::pair(int64_t{4}, int64_t{7}));
  EXPECT_EQ(range("a+b*"), std::pair(int64_t{1}, kNoLimit));
  const auto bounded = with_length(*parse_regex("^x[a-z]+-$"), {4, 6});
  ASSERT_TRUE(bounded);
  EXPECT_EQ(lengths(*bounded).least, 4);
  EXPECT_EQ(lengths(*bounded).most, 6);
  EXPECT_TRUE(with_length(*parse_regex("(ab|cd)"), {1, 2}));
  EXPECT_FALSE(with_length(*parse_regex("[a-z]+@[a-z]+"), {0, 10}));
  EXPECT_FALSE(with_length(*parse_regex("abc"), {4, 6}));
}

}  // namespace
}  // namespace quire
