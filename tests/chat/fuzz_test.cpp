// Mutated templates, from seeds: whatever comes in, an answer or an error comes out, within small budgets.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "chat/chat_template.h"
#include "tests/base/test_effort.h"
#include "tests/chat/json_fixture.h"

namespace quire {
namespace {

// Words that mutations put in, so that they reach past the lexer.
constexpr std::string_view kWords[] = {
    "{{",       "}}",          "{%",       "%}",       "{#",
    "#}",       "{%-",         "-%}",      " if ",     " else ",
    "endif",    " for ",       " in ",     "endfor",   " set ",
    "endset",   " macro m(x)", "endmacro", " call ",   "endcall",
    " filter ", "endfilter",   "raw",      "endraw",   "loop.",
    "messages", "(",           ")",        "[",        "]",
    "{",        "}",           "|",        "|tojson",  "|map('",
    "|list",    "|join",       "|trim",    "|sort",    "|replace('a', 'bb')",
    " is ",     " not ",       "defined",  " ~ ",      " + ",
    " * 99",    " ** ",        " % ",      " // ",     "[::-1]",
    "[1:]",     "'",           "\"",       "\\",       "\n",
    ".",        ",",           ":",        "=",        "9223372036854775807",
    "-1",       "0",           "1e308",    "none",     "namespace(x=1)",
    "range(9)", "ns.x",        ".items()", ".split()", "\xFF",
    "é",
};

std::string mutated(const std::vector<std::string>& corpus, Rng& rng) {
  std::string text = corpus[rng.below(corpus.size())];
  for (uint64_t left = 1 + rng.below(6); left > 0; --left) {
    const size_t at = rng.below(text.size() + 1);
    const size_t length = std::min<size_t>(rng.below(12), text.size() - at);
    const std::string& other = corpus[rng.below(corpus.size())];
    switch (rng.below(5)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, kWords[rng.below(std::size(kWords))]); break;
      case 2: text.replace(at, length, kWords[rng.below(std::size(kWords))]); break;
      case 3: text.insert(at, text.substr(at, length)); break;
      default: text.insert(at, other.substr(rng.below(other.size() + 1), rng.below(40)));
    }
  }
  return text;
}

TEST(Fuzz, MutatedTemplatesAnswerOrFail) {
  const auto lines = test::read_lines(QUIRE_SOURCE_DIR "/tests/chat/jinja_golden.jsonl");
  ASSERT_GT(lines.size(), 1u);
  const Value shared = test::read_json(lines[0]);
  const auto contexts = shared.find("contexts")->items();
  std::vector<std::string> corpus;
  for (const Value& family : shared.find("templates")->items()) corpus.push_back(family.as_bytes());
  for (size_t i = 1; i < lines.size(); ++i) {
    const Value line = test::read_json(lines[i]);
    if (line.find("template")->is_string()) corpus.push_back(line.find("template")->as_bytes());
  }
  TemplateLimits limits;
  limits.max_steps = 20'000;
  limits.max_output_bytes = 100'000;
  const int rounds = long_run() ? 300'000 : 6'000;
  int64_t rendered = 0;
  for (int seed = 0; seed < rounds; ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    const std::string source = mutated(corpus, rng);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << source);
    const auto chat_template = ChatTemplate::parse(source, limits);
    if (!chat_template) {
      ASSERT_FALSE(chat_template.error().message.empty());
      continue;
    }
    const auto parts = chat_template->render(contexts[rng.below(contexts.size())], seed);
    if (!parts) continue;
    ++rendered;
    size_t size = 0;
    for (const RenderedPart& part : *parts) size += part.text.size();
    ASSERT_LE(size, 100'000u);
  }
  EXPECT_GT(rendered, rounds / 20) << "mutations that mostly fail to parse test little";
}

}  // namespace
}  // namespace quire
