#include "grammar/grammar_compiler.h"

#include <gtest/gtest.h>

#include <simdjson.h>

#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

int64_t metric(const MetricsRegistry& metrics, std::string_view name) {
  const std::string text = metrics.render();
  const size_t at = text.find("\n" + std::string(name));
  return at == text.npos ? -1 : std::stoll(text.substr(text.find(' ', at)));
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : std::string(1, c);
  }
  return out + '"';
}

// What the mask lets through is what is accepted, of every token at every place.
TEST(GrammarMatcher, MaskSaysWhatIsAccepted) {
  GrammarFixture fixture;
  const auto grammar =
      fixture.schema(R"({"type":"object","properties":{"é":{"type":["null","boolean","integer"]},)"
                     R"("b":{"type":"array","items":{"enum":["abc"]}}}})");
  TokenMask mask((static_cast<size_t>(grammar->vocab_size()) + 31) / 32);
  const std::string text = "{\n \"é\": 12, \"b\": [\"abc\"]}";
  GrammarMatcher matcher(grammar);
  for (size_t at = 0; at <= text.size(); ++at) {
    matcher.fill(mask);
    int num_allowed = 0;
    for (TokenId id = 0; id < grammar->vocab_size(); ++id) {
      num_allowed += allows(mask, id) ? 1 : 0;
      if (id == ByteTokenizer::kControl)
        continue;  // xgrammar has a warning for each that it is asked about
      const bool accepted = matcher.accept(id);
      ASSERT_EQ(accepted, allows(mask, id)) << "token " << id << " after " << text.substr(0, at);
      if (accepted) matcher.rollback(1);
    }
    EXPECT_GT(num_allowed, 0);
    EXPECT_FALSE(allows(mask, ByteTokenizer::kControl));
    EXPECT_EQ(allows(mask, ByteTokenizer::kEos), at == text.size());
    if (at < text.size()) {
      ASSERT_TRUE(matcher.accept(static_cast<uint8_t>(text[at])));
    }
  }
  EXPECT_FALSE(allows(mask, grammar->vocab_size()));
  ASSERT_TRUE(matcher.accept(ByteTokenizer::kEos));
  EXPECT_TRUE(matcher.terminated());
  EXPECT_FALSE(matcher.accept('x'));
  matcher.fill(mask);
  EXPECT_EQ(mask, TokenMask(mask.size(), 0));
  matcher.rollback(1);
  EXPECT_FALSE(matcher.terminated());
}

TEST(GrammarMatcher, ForksGoTheirOwnWays) {
  GrammarFixture fixture;
  const auto grammar = fixture.compile(GrammarKind::kRegex, "ab(c|d){2}");
  GrammarMatcher first(grammar);
  EXPECT_TRUE(first.accept('a') && first.accept('b') && first.accept('c'));
  GrammarMatcher second = first.fork();
  EXPECT_EQ(second.num_accepted(), 3);
  EXPECT_TRUE(second.accept('d') && second.accept(ByteTokenizer::kEos));
  EXPECT_FALSE(first.terminated());
  first.rollback(2);
  EXPECT_FALSE(first.accept('c'));
  EXPECT_TRUE(first.accept('b') && first.accept('d') && first.accept('d'));
  EXPECT_FALSE(first.accept(-1) || first.accept(100000));
}

TEST(GrammarCompiler, KeepsWhatItCompiled) {
  GrammarFixture fixture;
  const auto once = fixture.compile(GrammarKind::kRegex, "[a-z]+");
  EXPECT_EQ(fixture.compile(GrammarKind::kRegex, "[a-z]+"), once);
  EXPECT_NE(fixture.compile(GrammarKind::kRegex, "[a-y]+"), once);
  EXPECT_EQ(metric(fixture.metrics, "quire:grammar_cache_hits_total"), 1);
  EXPECT_EQ(metric(fixture.metrics, "quire:grammar_cache_misses_total"), 2);
  EXPECT_GT(metric(fixture.metrics, "quire:grammar_cache_bytes"), 0);
}

TEST(GrammarCompiler, ForgetsWhatDoesNotFit) {
  GrammarFixture fixture({.cache_bytes = 1});
  const auto once = fixture.compile(GrammarKind::kRegex, "[a-z]+");
  EXPECT_NE(fixture.compile(GrammarKind::kRegex, "[a-z]+"), once);
  EXPECT_EQ(metric(fixture.metrics, "quire:grammar_cache_bytes"), 0);
  GrammarFixture small({.max_grammar_bytes = 16});
  EXPECT_NE(small.error(GrammarKind::kRegex, "[a-z]+").find("too large"), std::string::npos);
}

// Many ask for the same grammar at once, and others for different ones.
TEST(GrammarCompiler, CompilesOnceForAllWhoWait) {
  GrammarFixture fixture({.num_threads = 2, .max_waiting = 64});
  std::vector<std::shared_ptr<const CompiledGrammar>> results(16);
  std::vector<std::thread> askers;
  for (size_t i = 0; i < results.size(); ++i) {
    askers.emplace_back(
        [&, i] { results[i] = fixture.compile(GrammarKind::kRegex, i % 2 == 0 ? "a+" : "b+"); });
  }
  for (auto& asker : askers) asker.join();
  for (size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], results[i % 2]);
  EXPECT_EQ(metric(fixture.metrics, "quire:grammar_cache_misses_total"), 2);
}

TEST(GrammarCompiler, ErrorsNameTheFieldAndWhatIsWrong) {
  GrammarFixture fixture({.timeout_ms = 10'000});
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "root ::= missing").find("missing"), std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "root ::= \"a").find("compiled"), std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "r ::= \"a\"").find("root"), std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "root ::= (((\"a\"){2000}){2000}){2000}").find("repeats"),
            std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "root ::= " + std::string(100, '(')).find("deeply"),
            std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, std::string("root ::= \"\xff\"")).find("UTF-8"),
            std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kJsonSchema, R"({"not":{}})").find("'not'"), std::string::npos);
  EXPECT_NE(fixture.error(GrammarKind::kStructuralTag, "[]").find("object"), std::string::npos);
  // An error is not kept: the next who asks gets it anew.
  EXPECT_NE(fixture.error(GrammarKind::kEbnf, "root ::= missing").find("missing"), std::string::npos);
}

TEST(GrammarCompiler, Choices) {
  GrammarFixture fixture;
  const auto compiled = fixture.compiler.compile(
      {.kind = GrammarKind::kChoice, .choices = {"yes", "no \"é\""}, .field = "f"});
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(accepts(*compiled, "yes"));
  EXPECT_TRUE(accepts(*compiled, "no \"é\""));
  EXPECT_FALSE(accepts(*compiled, "no"));
  EXPECT_FALSE(fixture.compiler.compile({.kind = GrammarKind::kChoice, .choices = {}, .field = "f"}));
  EXPECT_FALSE(fixture.compiler.compile({.kind = GrammarKind::kChoice, .choices = {""}, .field = "f"}));
}

// Control tokens are no text, but for those that are said to be.
TEST(GrammarCompiler, MarksAreTheTextTheySpell) {
  GrammarFixture fixture;
  fixture.compiler.set_text_tokens({ByteTokenizer::kControl});
  const auto grammar = fixture.compile(GrammarKind::kEbnf, R"(root ::= "a<|control|>" [a-z]*)");
  GrammarMatcher matcher(grammar);
  TokenMask mask((static_cast<size_t>(grammar->vocab_size()) + 31) / 32);
  EXPECT_TRUE(matcher.accept('a'));
  matcher.fill(mask);
  EXPECT_TRUE(allows(mask, ByteTokenizer::kControl));
  EXPECT_FALSE(allows(mask, ByteTokenizer::kEos));
  EXPECT_TRUE(matcher.accept(ByteTokenizer::kControl));
  matcher.fill(mask);
  EXPECT_FALSE(allows(mask, ByteTokenizer::kControl));
  EXPECT_TRUE(allows(mask, ByteTokenizer::kEos));
  EXPECT_TRUE(accepts(grammar, "a<|control|>b")) << "spelled, too";

  GrammarFixture other;
  GrammarMatcher any(other.compile(GrammarKind::kRegex, "[^b]*"));
  any.fill(mask);
  EXPECT_FALSE(allows(mask, ByteTokenizer::kControl));
}

// What xgrammar would read otherwise than it was checked.
TEST(GrammarCompiler, MacrosAndAttributesAreFound) {
  GrammarFixture fixture;
  const std::pair<const char*, const char*> cases[] = {
      {R"(root ::= Regex("a{1,900000}"))", "Regex"},
      {R"(root ::= Regex ("a{1,900000}"))", "Regex"},
      {"root ::= Token#\n(5)", "Token"},
      {"root ::= \"a\" # \rb ::= Substring (\"a\")", "Substring"},
      {"root ::= [\"] TagDispatch", "TagDispatch"},
      {R"(root[capture="]"] ::= "a")", "attributes"},
      {"root[ max_tokens=5] ::= [a-z]*", "attributes"},
      {"a[temperature=1] ::= \"a\"\nroot ::= a", "attributes"},
      {"root ::= \"a\"{#}\n99999}", "repeats"},
      {"root ::= \"a\"{2,\t#}\r99999}", "repeats"},
      {"root ::= rule(\"a\")", "parenthesis"},
  };
  for (const auto& [text, message] : cases) {
    const std::string error = fixture.error(GrammarKind::kEbnf, text);
    EXPECT_TRUE(error.contains(message)) << text << ": " << error;
    const std::string tag =
        fixture.error(GrammarKind::kStructuralTag,
                      fmt::format(R"({{"format":{{"type":"grammar","grammar":{}}}}})", json_string(text)));
    EXPECT_TRUE(tag.contains(message)) << text << ": " << tag;
  }
  const auto fine =
      fixture.compile(GrammarKind::kEbnf,
                      "root ::= Regexes [\"#{(] x-1{2,3} # Regex(\nRegexes ::= \"Regex(\"\nx-1 ::= [lazy]");
  EXPECT_TRUE(accepts(fine, "Regex(#la"));
}

// Whatever is drawn from a schema's grammar parses as JSON and has what the schema requires.
TEST(GrammarCompiler, DrawnOutputsAreJson) {
  GrammarFixture fixture;
  const auto grammar =
      fixture.schema(R"({"type":"object","properties":{"name":{"type":"string","maxLength":5},)"
                     R"("n":{"type":"number","minimum":-2,"maximum":7.5},"l":{"type":"array",)"
                     R"("items":{"anyOf":[{"type":"boolean"},{"type":"null"}]},"maxItems":3}},)"
                     R"("required":["n"],"additionalProperties":false})");
  int num_ended = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto text = draw(fixture, grammar, seed, 400);
    if (!text) continue;
    ++num_ended;
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_EQ(parser.parse(*text).get(root), simdjson::SUCCESS) << *text;
    double n = 0;
    ASSERT_EQ(root["n"].get_double().get(n), simdjson::SUCCESS) << *text;
    EXPECT_TRUE(n >= -2 && n <= 7.5) << *text;
  }
  EXPECT_GT(num_ended, 50);
}

}  // namespace
}  // namespace quire
