// Notation::kPythonArguments, and the reader that it is for.
#include <gtest/gtest.h>
#include <simdjson.h>

#include "chat/tool_call.h"
#include "grammar/regex.h"
#include "grammar/schema_grammar.h"
#include "grammar/structural_tag.h"
#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

std::string tag_of(std::string_view schema) {
  return fmt::format(R"({{"format":{{"type":"tag","begin":"[f(","content":{{"type":"json_schema",)"
                     R"("style":"python_arguments","json_schema":{}}},"end":")]"}}}})",
                     schema);
}

std::shared_ptr<const CompiledGrammar> calls_of(GrammarFixture& fixture, std::string_view schema) {
  return fixture.compile(GrammarKind::kToolCalls, tag_of(schema));
}

// Values that a schema lists have no blanks.
std::string minified(std::string_view json) {
  std::string out(json.size(), '\0');
  size_t bytes = 0;
  EXPECT_EQ(simdjson::minify(json.data(), json.size(), out.data(), bytes), simdjson::SUCCESS);
  return out.substr(0, bytes);
}

const std::vector<std::string> kTools = {"f"};

TEST(PythonArguments, AllowWhatTheSchemaValidates) {
  struct Case {
    const char* schema;
    std::vector<const char*> valid, invalid;
  };
  const Case cases[] = {
      {R"({"type":"object","properties":{"a":{"type":"integer"},"from-x":{"type":"string"}},)"
       R"("required":["a"]})",
       {"a=1", R"(a=-3, from-x="é\n\u00e9\"")"},
       {"", R"("a"=1)", R"(a: 1)", "a=1,", "a=True", R"(from-x="")", R"({"a": 1})", R"(a=1, from-x='x')"}},
      {R"({"type":"object","properties":{"a":{"type":["boolean","null"]},"b":{}}})",
       {"", "a=True", "a=False", "a=None", R"(b=[True, {"x": None}, 1.5])", R"(a=None, b="x")"},
       {"a=true", "a=null", "b=[false]", "b=[null]", "b=()", R"(b={x: 1})", "b=1, a=None"}},
      {R"({"type":"object","properties":{"s":{"type":"string"},"t":{"type":"string","maxLength":3}}})",
       {R"(s="\u0001\t")", R"(t="/\\\"")"},
       {R"(s="\/")", R"(s="\ud83d\ude00")", R"(s="\x41")", R"(t="\/")", "s=\"\n\""}},
      {R"({"type":"object","properties":{"e":{"enum":["a\"b",null,true,2.5,{"k":[false,null]}]}},)"
       R"("required":["e"]})",
       {R"(e="a\"b")", "e=None", "e=True", "e=2.5", R"(e={"k": [False, None]})"},
       {"e=null", "e=False"}},
      {R"({"type":"object","properties":{"o":{"type":"object","properties":{"a b":{"const":true}}}}})",
       {"o={}", R"(o={"a b": True})"},
       {"o=()", R"(o=a b=True)"}},
      // References to the root are objects where they are values.
      {R"({"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},)"
       R"("required":["next"]})",
       {"next=None", R"(next={"next": {"next": None}})"},
       {"next=next=None", R"({"next": None})"}},
      {R"({"type":"object","$ref":"#/$defs/d","$defs":{"d":{"type":"object","properties":)"
       R"({"d":{"$ref":"#/$defs/d"}}}}})",
       {"", "d={}", R"(d={"d": {}})"},
       {"{}", "d=d={}"}},
      {R"({"$ref":"#/$defs/d","$defs":{"d":{"properties":{"d":{"$ref":"#/$defs/d"}}}}})",
       {"", "d={}", R"(d={"d": {}})"},
       {"{}", "d=d={}"}},
      {R"({"type":"object","anyOf":[{"properties":{"a":{"const":1}},"required":["a"]},)"
       R"({"properties":{"b":{"const":2}},"required":["b"]}]})",
       {"a=1", "b=2"},
       {"", "a=2"}},
      {R"({"type":"object","enum":[{"a":1,"b":[null]},{}]})", {"a=1, b=[None]", ""}, {"a=1", "{}"}},
      // Names that the schema does not give.
      {R"({"type":"object"})", {"", "x=1", R"(x_1="y", z=None)"}, {"1x=1", "=1", R"("x"=1)", "x y=1"}},
      {R"({"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"const":1}})",
       {"ab=None", "ab=None, a=1", "abc=1", "b=1"},
       {"ab=1", "a=None", "é=1"}},
      {R"({"type":"object","properties":{"é":false},"additionalProperties":true})",
       {"", "e=1"},
       {"é=1", "éa=1"}},
      {R"({"type":"object","properties":{}})", {""}, {"a=1"}},
      {R"({})", {"", "a=1"}, {"1", "[]"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) {
    const auto grammar = calls_of(fixture, test.schema);
    ASSERT_NE(grammar, nullptr) << test.schema;
    for (const std::string text : test.valid) {
      EXPECT_TRUE(accepts(grammar, "[f(" + text + ")]")) << text << " for " << test.schema;
      EXPECT_TRUE(read_python_calls("[f(" + text + ")]", kTools)) << text;
    }
    for (const std::string text : test.invalid) {
      EXPECT_FALSE(accepts(grammar, "[f(" + text + ")]")) << text << " for " << test.schema;
    }
  }
}

// Whatever the grammar allows is read as a call, and its arguments as JSON are what the schema allows.
TEST(PythonArguments, AreReadAsTheSchemaHasThem) {
  const char* schemas[] = {
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"},"c":{}},)"
      R"("required":["a","b","c"],"additionalProperties":true})",
      R"({"type":"object","additionalProperties":{"type":["boolean","null","integer"]},"minProperties":1})",
      R"({"type":"object","properties":{"s":{"type":"string","minLength":2,"maxLength":6},)"
      R"("l":{"type":"string","maxLength":60},"p":{"type":"string","pattern":"^[^x]{0,4}[\"\\\\\n]$"},)"
      R"("d":{"type":"string","format":"date-time"}},"required":["s","l","p","d"]})",
      R"({"type":"object","properties":{"rows":{"type":"array","minItems":1,"items":{"type":"object",)"
      R"("properties":{"a b":{"enum":["\u0001\"\\",null,true,{"x":[false]}]},"n":{"$ref":"#"}},)"
      R"("required":["a b"]}}},"required":["rows"]})",
      R"({"type":"object","properties":{"v":{"anyOf":[{"const":[1,null]},{"type":"integer","minimum":-5,)"
      R"("maximum":5},{"type":"object"}]},"w":{"const":"é/"}},"required":["v","w"]})",
  };
  GrammarFixture fixture;
  for (const std::string schema : schemas) {
    const auto calls = calls_of(fixture, schema);
    const auto json = fixture.schema(schema);
    ASSERT_TRUE(calls && json) << schema;
    int num_whole = 0;
    for (uint64_t seed = 0; seed < 60; ++seed) {
      const auto text = draw(fixture, calls, seed, 400);
      if (!text) continue;
      ++num_whole;
      const auto read = read_python_calls(*text, kTools);
      ASSERT_TRUE(read) << *text;
      ASSERT_EQ(read->size(), 1U);
      EXPECT_TRUE(accepts(json, minified(read->front().arguments)))
          << *text << ": " << read->front().arguments;
    }
    EXPECT_GE(num_whole, 20) << schema;
  }
}

TEST(PythonArguments, OtherNamesAreRefused) {
  GrammarFixture fixture;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"object","properties":{"a b":{}}})", "'a b', which cannot be the name of an argument"},
      {R"({"type":"object","required":[""]})", "''"},
      {R"({"type":"object","properties":{"größe":{}}})", "'größe'"},
      {R"({"type":"object","enum":[{"a":1,"b.c":2}]})", "'b.c'"},
      {R"({"type":"object","propertyNames":{"pattern":"a+"}})", "propertyNames"},
      {R"({"type":"array"})", "no value"},
      {R"({"enum":[1]})", "no value"},
  };
  for (const auto& [schema, message] : cases) {
    const std::string error = fixture.error(GrammarKind::kToolCalls, tag_of(schema));
    EXPECT_TRUE(error.contains(message)) << schema << ": " << error;
  }
}

// Names may run out: every letter begins one, and nothing is left to tell them apart with.
TEST(PythonArguments, NoOtherNamesWhereNoneIsLeft) {
  std::string names;
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")) {
    names += fmt::format(R"("{}":{{"const":1}},)", c);
  }
  names.pop_back();
  GrammarBudget budget;
  ASSERT_TRUE(budget.charge("spent", budget.left() - kCostOfAny));
  const auto ebnf = schema_to_ebnf(
      fmt::format(R"({{"type":"object","properties":{{{}}},"additionalProperties":{{"const":2}}}})", names),
      budget, Notation::kPythonArguments);
  ASSERT_TRUE(ebnf) << ebnf.error().message;
  EXPECT_FALSE(ebnf->contains("other_")) << *ebnf;
}

TEST(PythonArguments, AreNotForStructuralTagsOfClients) {
  GrammarFixture fixture;
  const std::string error = fixture.error(GrammarKind::kStructuralTag, tag_of(R"({"type":"object"})"));
  EXPECT_TRUE(error.contains("style is not 'json'")) << error;
}

}  // namespace
}  // namespace quire
