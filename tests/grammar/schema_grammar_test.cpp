#include "grammar/schema_grammar.h"

#include <gtest/gtest.h>

#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

struct Case {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

void check(GrammarFixture& fixture, const Case& test, Strictness strictness = Strictness::kStrict) {
  const auto compiled = fixture.compiler.compile(
      {.kind = GrammarKind::kJsonSchema, .text = test.schema, .strictness = strictness, .field = "field"});
  ASSERT_TRUE(compiled) << test.schema << ": " << compiled.error().message;
  const auto& grammar = *compiled;
  for (const char* text : test.valid) EXPECT_TRUE(accepts(grammar, text)) << text << " for " << test.schema;
  for (const char* text : test.invalid) {
    EXPECT_FALSE(accepts(grammar, text)) << text << " for " << test.schema;
  }
}

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
  for (const auto& test : cases) check(fixture, test);
}

// Names that JSON writes with escapes, beside names that the schema does not give.
TEST(SchemaGrammar, OtherNamesAreJsonWhateverTheKnownOnes) {
  const Case cases[] = {
      {R"({"type":"object","properties":{"a\"b":{"type":"integer"}},)"
       R"("additionalProperties":{"type":"integer"}})",
       {"{}", R"({"a\"b":1})", R"({"a\"b":1,"ab":2})", R"({"a":1})", R"({"":1})"},
       {R"({"a"b":1})", R"({"a"c":1})", R"({"a\"c":1})", R"({"a\":1})"}},
      {R"({"type":"object","properties":{"a\\b":{"type":"integer"}},"additionalProperties":true})",
       {R"({"a\\b":1,"a":"x"})"},
       {R"({"a\b":1})", R"({"a\c":1})", R"({"a\\b":"x"})"}},
      {R"({"type":"object","properties":{"a\nb":{"type":"integer"}},"additionalProperties":true})",
       {R"({"a\u000ab":1})", R"({"a":true})"},
       {"{\"a\nb\":1}", "{\"a\nc\":1}"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) check(fixture, test);
}

// A name that goes on as a known one does far beyond what is told apart is left out, not let through.
TEST(SchemaGrammar, OtherNamesDifferFromLongOnesEarly) {
  const std::string name(300, 'a');
  GrammarFixture fixture;
  const auto grammar = fixture.schema(
      fmt::format(R"({{"type":"object","properties":{{"{}":{{"type":"null"}},"é":{{"type":"null"}}}},)"
                  R"("additionalProperties":{{"type":"integer"}}}})",
                  name));
  ASSERT_NE(grammar, nullptr);
  const auto with = [](const std::string& key, const char* value) {
    return "{\"" + key + "\":" + value + "}";
  };
  EXPECT_TRUE(accepts(grammar, with(name, "null")));
  EXPECT_FALSE(accepts(grammar, with(name, "1")));
  EXPECT_FALSE(accepts(grammar, with(name + "a", "1")));
  EXPECT_TRUE(accepts(grammar, with(std::string(100, 'a'), "1")));
  EXPECT_TRUE(accepts(grammar, with(std::string(100, 'a') + "b", "1")));
  EXPECT_TRUE(accepts(grammar, with("ée", "1")));
  EXPECT_FALSE(accepts(grammar, with("é", "1")));
  EXPECT_TRUE(accepts(grammar, with("è", "1")));
}

// As of models with extra="allow": each object gets a part of what telling names apart may cost.
TEST(SchemaGrammar, ManyObjectsMayHaveOtherNames) {
  std::string properties;
  for (int object = 0; object < 40; ++object) {
    std::string names;
    for (int i = 0; i < 12; ++i)
      fmt::format_to(std::back_inserter(names), R"("of_object_{}_field_{}":{{}},)", object, i);
    names.pop_back();
    fmt::format_to(std::back_inserter(properties),
                   R"("o{}":{{"type":"object","properties":{{{}}},"additionalProperties":true}},)", object,
                   names);
  }
  properties.pop_back();
  GrammarBudget budget;
  const auto ebnf =
      schema_to_ebnf(fmt::format(R"({{"type":"object","properties":{{{}}}}})", properties), budget);
  EXPECT_TRUE(ebnf) << ebnf.error().message;
  EXPECT_GT(budget.left(), 0);
}

// JSON Schema's equality is that of values, however they are written.
TEST(SchemaGrammar, EqualValuesAreOne) {
  const Case cases[] = {
      {R"({"allOf":[{"enum":[1,2,{"a":1,"b":[2.0]}]},{"enum":[1.0,{"b":[2],"a":1e0},3]}]})",
       {"1", R"({"a":1,"b":[2.0]})"},
       {"2", "3"}},
      {R"({"oneOf":[{"enum":[1,"1"]},{"enum":[2.5,"2",-0.5]}]})",
       {"1", R"("1")", "2.5", "-0.5", R"("2")"},
       {"2"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) check(fixture, test);
}

TEST(SchemaGrammar, WhatIsNotSupportedIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"not":{"type":"string"}})", "'not'"},
      {R"({"type":"object","properties":{"a":{"if":{},"then":{}}}})", "'if'"},
      {R"({"type":"array","uniqueItems":true})", "'uniqueItems'"},
      {R"({"type":"array","contains":{}})", "'contains'"},
      {R"({"type":"object","patternProperties":{"a":{}}})", "'patternProperties'"},
      {R"({"type":"object","dependentRequired":{"a":["b"]}})", "'dependentRequired'"},
      {R"({"type":"object","dependentSchemas":{"a":{"required":["b"]}}})", "'dependentSchemas'"},
      {R"({"type":"object","dependencies":{}})", "'dependencies'"},
      {R"({"type":"array","minContains":1})", "'minContains'"},
      {R"({"type":"array","maxContains":1})", "'maxContains'"},
      {R"({"type":"array","unevaluatedItems":false})", "'unevaluatedItems'"},
      {R"({"type":"array","additionalItems":false})", "'additionalItems'"},
      {R"({"then":{}})", "'then'"},
      {R"({"else":{}})", "'else'"},
      {R"({"$dynamicRef":"#a"})", "'$dynamicRef'"},
      {R"({"$recursiveRef":"#"})", "'$recursiveRef'"},
      {R"({"divisibleBy":2})", "'divisibleBy'"},
      {R"({"disallow":"string"})", "'disallow'"},
      {R"({"extends":{}})", "'extends'"},
      {R"({"type":"text"})", "'text'"},
      {R"({"type":5})", "'type'"},
      {R"-({"type":"string","pattern":"(?=a)"})-", "look-around"},
      {R"({"type":"string","minLength":-1})", "'minLength'"},
      {R"({"type":"string","maxLength":1000000000})", "'maxLength'"},
      {R"({"type":"string","minLength":1000})", "minLength"},
      {R"({"type":"string","pattern":".{3000}"})", "written out"},
      {R"({"type":"string","minLength":5,"maxLength":4})", "no value"},
      {R"({"type":"integer","minimum":5,"maximum":4})", "no number"},
      {R"({"type":"integer","minimum":"5"})", "'minimum'"},
      {R"({"type":"number","multipleOf":0.01})", "'multipleOf'"},
      {R"({"enum":[]})", "'enum'"},
      {R"({"enum":["a"],"minLength":1})", "enum or const"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "oneOf"},
      {R"({"$ref":"http://example.org/schema"})", "$ref"},
      {R"({"$ref":"#/$defs/x"})", "points to nothing"},
      {R"({"$ref":"#x","$defs":{"a":{"$anchor":"x"}}})", "only paths from the root are followed"},
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
      {R"({"oneOf":[{"const":1},{"const":1.0}]})", "oneOf"},
      {R"({"oneOf":[{"const":{"a":0,"b":1}},{"const":{"b":1,"a":-0.0}}]})", "oneOf"},
      {R"({"properties":{"a":{}},"properties":{"b":{}}})", "'properties' more than once"},
      {R"({"enum":[{"a":1,"a":2}]})", "'a' more than once"},
      {R"({"properties":{"\ud800":{}}})", "not valid"},
      {R"({"const":"\ud800"})", "not valid"},
      {R"({"type":"object","minProperties":1,"maxProperties":0})", "no value"},
      {R"({"type":"array","minItems":3,"maxItems":2,"prefixItems":[{},{},{}]})", "no value"},
  };
  for (const auto& [schema, message] : cases) {
    GrammarBudget budget;
    const auto ebnf = schema_to_ebnf(schema, budget);
    ASSERT_FALSE(ebnf) << schema;
    EXPECT_NE(ebnf.error().message.find(message), std::string::npos)
        << schema << ": " << ebnf.error().message;
  }
}

// What cannot be kept to is passed over, and nothing else with it.
TEST(SchemaGrammar, LenientlyAsMuchAsCanBeKept) {
  const Case cases[] = {
      {R"({"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":2})",
       {R"(["a","a"])"},
       {R"(["a","b","c"])", "[1]"}},
      {R"({"type":"object","properties":{"a":{"type":"integer","not":{"const":3},"minimum":2}},)"
       R"("if":{},"then":false,"required":["a"]})",
       {R"({"a":3})"},
       {"{}", R"({"a":1})"}},
      {R"-({"type":"string","pattern":"(?=a)","maxLength":2})-", {R"("b")"}, {R"("abc")"}},
      {R"({"type":"string","pattern":".{100000}","minLength":2})", {R"("bc")"}, {R"("b")"}},
      {R"({"type":"string","pattern":"[a-z]+@[a-z]+","maxLength":4})", {R"("a@b")"}, {R"("ab")"}},
      {R"({"type":"string","minLength":1000})", {}, {R"("abc")"}},
      {R"({"type":"string","format":"date","pattern":"a"})", {R"("2024-02-28")"}, {R"("a")"}},
      {R"({"type":"integer","multipleOf":1000,"minimum":7})", {"7", "8"}, {"6"}},
      {R"({"enum":["a","bc"],"minLength":2})", {R"("bc")"}, {R"("d")"}},
      {R"({"oneOf":[{"type":"integer"},{"type":"number","minimum":1}]})", {"0", "1.5"}, {"0.5", "true"}},
      {R"({"type":"array","items":[{"type":"string"}],"minItems":1})", {"[1]"}, {"[]"}},
      {R"({"allOf":[{"prefixItems":[{"type":"null"}]},{"items":{"type":"integer"}}]})",
       {"[null,1]"},
       {"[null,null]"}},
      {R"({"type":"object","patternProperties":{"^a":{"type":"null"}},"additionalProperties":false})",
       {R"({"a":1})"},
       {"[]"}},
      {R"({"type":"object","properties":{"a":{},"b":{}},"minProperties":1,"maxProperties":1})",
       {"{}", R"({"a":1,"b":2})"},
       {R"({"c":1})"}},
      {R"({"type":"object","properties":{"a":{}},"additionalProperties":{"type":"null"},)"
       R"("propertyNames":{"maxLength":1},"maxProperties":1})",
       {R"({"a":1,"cd":null})"},
       {R"({"cd":1})"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) check(fixture, test, Strictness::kLenient);
}

// What is no schema, asks for what cannot be, or is beyond a bound stays an error.
TEST(SchemaGrammar, LenientlyIsNotWithoutErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"text"})", "'text'"},
      {R"({"minimum":"5"})", "'minimum'"},
      {R"({"type":"integer","minimum":5,"maximum":4})", "no number"},
      {R"({"$ref":"http://example.org/schema"})", "$ref"},
      {R"({"$ref":"#"})", "refers to itself"},
      {R"({"type":"string","pattern":".{0,60}.{0,60}.{0,60}"})", "too long to compile"},
      {R"(false)", "no value"},
  };
  for (const auto& [schema, message] : cases) {
    GrammarBudget budget;
    const auto ebnf = schema_to_ebnf(schema, budget, Notation::kJson, Strictness::kLenient);
    ASSERT_FALSE(ebnf) << schema;
    EXPECT_TRUE(ebnf.error().message.contains(message)) << schema << ": " << ebnf.error().message;
  }
}

// As generators of schemas write them: what a validator does not know it passes over.
TEST(SchemaGrammar, UnknownKeywordsAndFormatsAreAnnotations) {
  const Case cases[] = {
      {R"({"type":"string","format":"path","contentSchema":{"type":"null"},"contentEncoding":"base64"})",
       {R"("/a b")"},
       {"1"}},
      {R"({"type":"string","format":"slug","pattern":"[a-z]+"})", {R"("ab")"}, {R"("1")"}},
      {R"({"type":"integer","format":"int64","nullable":true,"example":5})", {"7"}, {"null", "1.5"}},
      {R"({"enum":["a"],"format":"binary"})", {R"("a")"}, {R"("b")"}},
      {R"({"format":"password"})", {R"("a")", "1"}, {""}},
      {R"({"$ref":"#/$defs/n","xml":{"name":"n"},"externalDocs":{"url":"u"},"minimun":"x",)"
       R"("$defs":{"n":{"$anchor":"n","type":"null","x-order":1}}})",
       {"null"},
       {"1"}},
      {R"({"type":"object","properties":{"not":{"type":"null"}},"discriminator":{"propertyName":"not"}})",
       {R"({"not":null})"},
       {R"({"not":1})"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) check(fixture, test);
}

TEST(SchemaGrammar, EveryKnownFormatCompiles) {
  GrammarFixture fixture;
  for (const char* format : {"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6",
                             "ipvanyaddress", "uuid", "uuid1", "uuid8", "uri"}) {
    EXPECT_NE(fixture.schema(fmt::format(R"({{"type":"string","format":"{}"}})", format)), nullptr);
  }
}

// As pydantic and its like write them.
TEST(SchemaGrammar, WhatGeneratorsOfSchemasWrite) {
  const Case cases[] = {
      {R"({"type":"string","format":"uuid4"})",
       {R"("01234567-89ab-4def-8123-456789abcdef")"},
       {R"("01234567-89ab-1def-8123-456789abcdef")", R"("01234567-89ab-4def-0123-456789abcdef")",
        R"("a")"}},
      {R"({"type":"string","pattern":"^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"})",
       {R"("1")", R"("-00.5")", R"("+.5")", R"("7.")"},
       {R"("")", R"("-")", R"(".")", R"("+.")", R"("1e5")"}},
      {R"({"$ref":"#/definitions/Page%3CUser%3E","definitions":{"Page<User>":{"type":"null"}}})",
       {"null"},
       {"1"}},
      {R"({"$ref":"#/$defs/a%20b~1c","$defs":{"a b/c":{"type":"null"}}})", {"null"}, {"1"}},
      {R"({"type":"object","properties":{"a":{"type":"null"}},"patternProperties":{},)"
       R"("dependentRequired":{},"dependentSchemas":{},"additionalProperties":false})",
       {R"({"a":null})", "{}"},
       {R"({"b":1})"}},
      {R"({"$ref":"#/$defs/100%","$defs":{"100%":{"type":"null"}}})", {"null"}, {"1"}},
  };
  GrammarFixture fixture;
  for (const auto& test : cases) check(fixture, test);
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
