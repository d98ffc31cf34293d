#include "grammar/schema_grammar.h"

#include <gtest/gtest.h>

#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

struct Case {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

TEST(SchemaGrammar, AllowsWhatTheSchemaValidates) {
  const Case cases[] = {
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},)"
       R"("required":["a","b"]})",
       {R"({"a":1,"b":"x"})", R"({"a": -12, "b": ""})", "{\n  \"a\": 1,\n  \"b\": \"\\n\\u00e9é\"\n}"},
       {"{}", R"({"a":1})", R"({"b":"x","a":1})", R"({"a":1,"b":"x","c":2})", R"({"a":1.5,"b":"x"})",
        "{\"a\":1,\"b\":\"\n\"}", R"({"a":1,"b":"\ud800"})", R"({"a":1,"b":"\x"})", R"({"a":1,"b":"x"} )"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["b"]})",
       {R"({"b":1})", R"({"a":[1,{"x":null}],"b":true})", R"({"b":1,"c":"x"})", R"({"a":1,"b":2,"c":3})"},
       {"{}", R"({"a":1})", R"({"a":1,"c":2})", R"({"c":1,"b":2})", R"({"b":1,})"}},
      {R"({"type":"object","properties":{"a":{},"b":{}}})",
       {"{}", R"({"a":1})", R"({"b":1})", R"({"a":1,"b":1})"},
       {R"({"b":1,"a":1})", R"({,"b":1})"}},
      {R"({"type":"object","properties":{"ab":{"type":"null"}},)"
       R"("additionalProperties":{"type":"boolean"}})",
       {"{}", R"({"ab":null})", R"({"ab":null,"x":true})", R"({"a":true,"abc":false})", R"({"":true})"},
       {R"({"ab":true})", R"({"x":null})", R"({"x":true,"ab":null})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2,)"
       R"("minProperties":1})",
       {R"({"x":1})", R"({"x":1,"y":2})"},
       {"{}", R"({"x":1,"y":2,"z":3})", R"({"x":"1"})"}},
      {R"({"type":"object","propertyNames":{"pattern":"^k[0-9]$"},"additionalProperties":true})",
       {"{}", R"({"k1":1})"},
       {R"({"k":1})", R"({"x":1})"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
       {"[1]", "[1, 2]", "[1,2,3]", "[ 1 ]"},
       {"[]", "[1,2,3,4]", "[1,]", "[true]"}},
      {R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false})",
       {R"([1,"x"])"},
       {R"(["x",1])", R"([1,"x",2])"}},
      {R"({"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"boolean"}})",
       {"[1]", "[1,true,false]"},
       {"[1,2]", "[true]"}},
      {R"({"enum":["a","b\"c",3,null,{"x":[1]}]})",
       {R"("a")", R"("b\"c")", "3", "null", R"({"x":[1]})"},
       {R"("c")", "4"}},
      {R"({"const":"é"})", {R"("é")"}, {R"("e")"}},
      {R"({"type":"string","minLength":2,"maxLength":60})",
       {R"("ab")", R"("ééééééééééééééééééééééééééééééééééééééé)"
                   R"(éééééééééééééééééééab")"},
       {R"("a")", R"("ééééééééééééééééééééééééééééééééééééééé)"
                  R"(éééééééééééééééééééabc")"}},
      {R"({"type":"string","minLength":3})", {R"("abc")", R"("abcdefgh\n")"}, {R"("ab")", R"("a\n")"}},
      {R"({"type":"string"})", {R"("\u00e9\uD83D\uDE00\/")"}, {R"("\uD83D")", R"("\uDE00\uD83D")"}},
      {R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"}},
      {R"({"type":["integer","null"],"minimum":5})", {"null", "5", "17"}, {"4", "true", "\"5\""}},
      {R"({"type":"string","minLength":2,"maxLength":4})",
       {R"("ab")", R"("éé")", R"("a\n\"b")"},
       {R"("a")", R"("abcde")", R"("abcd\n")"}},
      {R"({"type":"string","pattern":"^[\"\\\\a]+$"})",
       {R"("a")", R"("\"\\")"},
       {R"("b")", R"(""")", R"("")"}},
      {R"({"type":"string","pattern":"[a-z]+","maxLength":3})", {R"("abc")"}, {R"("abcd")", R"("")"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-28")"},
       {R"("2024-02-30")", R"("2024-13-01")", R"("today")"}},
      {R"({"type":"string","format":"email","minLength":3})",
       {R"("a.b@example.org")"},
       {R"("a@b")", R"("a b@c.de")"}},
      {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", {R"("x")", "1"}, {"true", "1.5"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},)"
       R"("anyOf":[{"required":["a"]},{"required":["b"]}]})",
       {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":1})"},
       {"{}"}},
      {R"({"oneOf":[{"type":"object","properties":{"k":{"const":"x"},"v":{"type":"integer"}},
            "required":["k","v"]},
                    {"type":"object","properties":{"k":{"const":"y"}},"required":["k"]}]})",
       {R"({"k":"x","v":1})", R"({"k":"y"})"},
       {R"({"k":"x"})", R"({"k":"y","v":1})"}},
      {R"({"allOf":[{"type":"integer","minimum":3},{"maximum":5}]})", {"3", "5"}, {"2", "6"}},
      {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object",)"
       R"("properties":{"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},)"
       R"("required":["next"]}}})",
       {R"({"next":null})", R"({"next":{"next":{"next":null}}})"},
       {"{}", R"({"next":1})"}},
      {R"({"type":"object","properties":{"a":{"$ref":"#/$defs/i","description":"x",)"
       R"("maximum":9}},"required":["a"],"$defs":{"i":{"type":"integer","minimum":0}}})",
       {R"({"a":9})"},
       {R"({"a":10})", R"({"a":-1})"}},
      {R"({"type":"object","required":["x"]})", {R"({"x":1})", R"({"x":1,"y":2})"}, {"{}", R"({"y":2})"}},
      {R"({"allOf":[{"properties":{"a":{}},"additionalProperties":false},)"
       R"({"properties":{"b":{}}}]})",
       {"{}", R"({"a":1})"},
       {R"({"b":1})"}},
      {R"({"type":"object","properties":{}})", {"{}"}, {R"({"a":1})"}},
      {R"({"type":"number","multipleOf":5})", {"10", "-5", "0"}, {"3", "2.5"}},
      {"{}",
       {"1", "[]", "{}", R"({"a":[1,2,{"b":"c"}]})", "-1.5e10", "true"},
       {"", "01", "[1,]", "{1:2}", "'a'"}},
      {R"({"minimum":3})", {"3", "3.5"}, {"2", "\"x\""}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) {
    const auto grammar = fixture.schema(test.schema);
    ASSERT_NE(grammar, nullptr) << test.schema;
    for (const char* text : test.valid)
      EXPECT_TRUE(accepts(grammar, text)) << text << " for " << test.schema;
    for (const char* text : test.invalid)
      EXPECT_FALSE(accepts(grammar, text)) << text << " for " << test.schema;
  }
}

TEST(SchemaGrammar, WhatIsNotSupportedIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"not":{"type":"string"}})", "'not'"},
      {R"({"type":"object","properties":{"a":{"if":{},"then":{}}}})", "'if'"},
      {R"({"type":"array","uniqueItems":true})", "'uniqueItems'"},
      {R"({"type":"array","contains":{}})", "'contains'"},
      {R"({"type":"object","patternProperties":{"a":{}}})", "'patternProperties'"},
      {R"({"type":"object","dependentRequired":{}})", "'dependentRequired'"},
      {R"({"type":"text"})", "'text'"},
      {R"({"type":5})", "'type'"},
      {R"({"type":"string","format":"color"})", "'color'"},
      {R"-({"type":"string","pattern":"(?=a)"})-", "look-around"},
      {R"({"type":"string","minLength":-1})", "'minLength'"},
      {R"({"type":"string","maxLength":1000000000})", "'maxLength'"},
      {R"({"type":"string","minLength":1000})", "minLength"},
      {R"({"type":"string","pattern":".{1000}"})", "written out"},
      {R"({"type":"string","minLength":5,"maxLength":4})", "no value"},
      {R"({"type":"integer","minimum":5,"maximum":4})", "no number"},
      {R"({"type":"integer","minimum":"5"})", "'minimum'"},
      {R"({"type":"number","multipleOf":0.01})", "'multipleOf'"},
      {R"({"enum":[]})", "'enum'"},
      {R"({"enum":["a"],"minLength":1})", "enum or const"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "oneOf"},
      {R"({"$ref":"http://example.org/schema"})", "$ref"},
      {R"({"$ref":"#/$defs/x"})", "points to nothing"},
      {R"({"$ref":"#"})", "refers to itself"},
      {R"({"allOf":[{"$ref":"#"}]})", "deeper"},
      {R"({"type":"array","items":[{"type":"string"}]})", "prefixItems"},
      {R"({"type":"object","properties":{"a":{}},"required":["b"],)"
       R"("additionalProperties":false})",
       "'b'"},
      {R"({"type":"object","properties":{"a":false},"required":["a"]})", "'a'"},
      {R"(false)", "no value"},
      {R"([1])", "must be an object"},
      {R"({"type":)", "not valid JSON"},
      {R"({"properties":{"a":{"properties":{"b":5}}}})", "must be an object"},
  };
  for (const auto& [schema, message] : cases) {
    const auto ebnf = schema_to_ebnf(schema);
    ASSERT_FALSE(ebnf) << schema;
    EXPECT_NE(ebnf.error().message.find(message), std::string::npos)
        << schema << ": " << ebnf.error().message;
  }
}

TEST(SchemaGrammar, EveryKnownFormatCompiles) {
  GrammarFixture fixture;
  for (const char* format :
       {"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}) {
    EXPECT_NE(fixture.schema(fmt::format(R"({{"type":"string","format":"{}"}})", format)), nullptr);
  }
}

// Alternatives of alternatives would double with every level.
TEST(SchemaGrammar, WorkIsBounded) {
  std::string all = R"({"allOf":[)";
  for (int i = 0; i < 24; ++i) {
    all += fmt::format(R"({}{{"anyOf":[{{"required":["a{}"]}},{{"required":["b{}"]}}]}})",
                       i == 0 ? "" : ",", i, i);
  }
  const auto doubled = schema_to_ebnf(all + "]}");
  ASSERT_FALSE(doubled);
  EXPECT_NE(doubled.error().message.find("parts"), std::string::npos) << doubled.error().message;
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += R"({"items":)";
  EXPECT_FALSE(schema_to_ebnf(deep + "5" + std::string(40, '}')));
  std::string wide = R"({"type":"object","properties":{)";
  for (int i = 0; i < 2000; ++i)
    wide += fmt::format("{}\"p{}\":{{\"type\":\"integer\"}}", i == 0 ? "" : ",", i);
  const auto many = schema_to_ebnf(wide + "}}");
  EXPECT_FALSE(many.has_value() && many->size() > (2 << 20));
}

TEST(SchemaGrammar, JsonObjects) {
  GrammarFixture fixture;
  const auto grammar = fixture.compile(GrammarKind::kJsonObject, "");
  EXPECT_TRUE(accepts(grammar, "{}"));
  EXPECT_TRUE(accepts(grammar, "{\n  \"a\": [1, -2.5e3, {\"b\": null}],\n  \"c\": \"\\u0041\"\n}"));
  EXPECT_FALSE(accepts(grammar, "[]"));
  EXPECT_FALSE(accepts(grammar, "{}x"));
  EXPECT_FALSE(accepts(grammar, "{" + std::string(kMaxWhitespace + 1, ' ') + "}"));
}

}  // namespace
}  // namespace quire
