#include <gtest/gtest.h>

#include "grammar/schema_grammar.h"
#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

// `one`, in which {0} is its place, so many times with commas between.
std::string repeated(int count, fmt::format_string<int&> one) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + fmt::format(one, i);
  return out;
}

Expected<std::string> ebnf_of(std::string_view schema) {
  GrammarBudget budget;
  return schema_to_ebnf(schema, budget);
}

std::string error_of(std::string_view schema) {
  const auto ebnf = ebnf_of(schema);
  return ebnf ? "none" : ebnf.error().message;
}

// Alternatives of alternatives would double with every level.
TEST(SchemaBounds, WorkIsBounded) {
  std::string all = R"({"allOf":[)";
  for (int i = 0; i < 24; ++i) {
    all += fmt::format(R"({}{{"anyOf":[{{"required":["a{}"]}},{{"required":["b{}"]}}]}})",
                       i == 0 ? "" : ",", i, i);
  }
  const auto doubled = ebnf_of(all + "]}");
  ASSERT_FALSE(doubled);
  EXPECT_TRUE(doubled.error().message.contains("more than 1048576 bytes")) << doubled.error().message;
}

TEST(SchemaBounds, DepthIsBounded) {
  const auto nested = [](size_t levels) {
    std::string text;
    for (size_t i = 0; i < levels; ++i) text += R"({"items":)";
    return text + "{}" + std::string(levels, '}');
  };
  EXPECT_EQ(error_of(nested(40)), "none");
  EXPECT_TRUE(error_of(nested(70)).contains("at most 64 levels")) << error_of(nested(70));
  const auto chain = [](int length) {
    std::string text = R"({"$ref":"#/$defs/d0","$defs":{)";
    for (int i = 0; i < length; ++i) {
      text += fmt::format(R"("d{}":{{"type":"array","items":{{"$ref":"#/$defs/d{}"}}}},)", i, i + 1);
    }
    return text + fmt::format(R"("d{}":{{"type":"null"}}}}}})", length);
  };
  EXPECT_EQ(error_of(chain(40)), "none");
  EXPECT_TRUE(error_of(chain(70)).contains("deeper than 64 levels")) << error_of(chain(70));
}

TEST(SchemaBounds, ManyPropertiesTakeRoomInProportion) {
  const auto bytes = [](int count) {
    const auto ebnf = ebnf_of(R"({"type":"object","properties":{)" +
                              repeated(count, R"("p{:04}":{{"type":"integer"}})") + "}}");
    EXPECT_TRUE(ebnf) << ebnf.error().message;
    return ebnf ? std::ssize(*ebnf) : 0;
  };
  const auto thousand = bytes(1000);
  EXPECT_LT(thousand, 200'000);
  EXPECT_LT(bytes(2000), 2 * thousand + 10'000);
}

// The same without others whose names must be told apart.
TEST(SchemaBounds, AlternativesOfAlternatives) {
  const std::string all = repeated(24, R"({{"anyOf":[{{"required":["a{0}"]}},{{"required":["b{0}"]}}]}})");
  const std::string names = repeated(24, R"("a{0}":{{}},"b{0}":{{}})");
  EXPECT_NE(error_of(R"({"properties":{)" + names + R"(},"allOf":[)" + all + "]}").find("8192 parts"),
            std::string::npos);
}

// Each character of a name once took a frame of the stack, and far too long to compile.
TEST(SchemaBounds, LongNames) {
  const std::string name(100'000, 'a');
  const auto ebnf =
      ebnf_of(R"({"type":"object","properties":{")" + name + R"(":{}},"additionalProperties":true})");
  ASSERT_TRUE(ebnf) << ebnf.error().message;
  EXPECT_LT(ebnf->size(), name.size() + (16 << 10));
}

// What would be read again and again until memory ends.
TEST(SchemaBounds, ReferencesToThemselves) {
  const std::string names = repeated(1000, R"("p{0}":{{}})");
  for (const std::string& schema : {
           R"({"type":"object","properties":{)" + names + R"(},"anyOf":[{"$ref":"#"}]})",
           std::string(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})"),
           std::string(R"({"allOf":[{"$ref":"#"}]})"),
           std::string(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},)"
                       R"("b":{"type":"object","oneOf":[{"$ref":"#/$defs/a"}]}}})"),
           std::string(R"({"type":"object","anyOf":[{"anyOf":[{"$ref":"#/anyOf/0"}]}]})"),
       }) {
    EXPECT_NE(error_of(schema).find("refers to itself"), std::string::npos) << error_of(schema);
  }
  // With a property or an item between, they describe trees; the same part twice is one.
  for (const char* schema : {
           R"({"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"null"}]})",
           R"({"properties":{"a":{"$ref":"#"}},"anyOf":[{"required":["a"]},{"maxProperties":1}]})",
           R"({"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"anyOf":[{"$ref":"#/$defs/a"}],)"
           R"("$defs":{"a":{"type":"integer","multipleOf":7}}})",
       }) {
    EXPECT_EQ(error_of(schema), "none");
  }
}

TEST(SchemaBounds, AlternativesCountAsLevels) {
  std::string schema =
      R"({"type":"object","allOf":[)" + repeated(100, R"({{"anyOf":[{{"x-{0}":0}}]}})") + "]}";
  EXPECT_NE(error_of(schema).find("deeper than 64"), std::string::npos) << error_of(schema);
}

// Lists are looked through once, whatever is beside them.
TEST(SchemaBounds, LongLists) {
  const std::string some = repeated(20'000, "{0}");
  std::string others;
  for (int i = 20'000; i < 40'000; ++i) others += fmt::format(",{}", i);
  const std::string below = R"({"enum":[)" + some + "]}";
  const std::string above = R"({"enum":[-1)" + others.substr(0, 120'000) + "]}";
  EXPECT_EQ(error_of(R"({"oneOf":[)" + below + "," + above + "]}"), "none");
  EXPECT_NE(error_of(R"({"allOf":[)" + below + "," + above + "]}").find("no value"), std::string::npos);
  const std::string properties = repeated(9000, R"("p{0}":{{}})");
  const std::string empty = repeated(8000, "{{}}");
  for (const std::string& schema : {
           R"({"enum":[)" + some + R"(],"anyOf":[)" + empty + "]}",
           R"({"required":[)" + repeated(10'000, R"("a{0}")") + R"(],"anyOf":[)" + empty + "]}",
           R"({"type":"string","$defs":{"e":)" + below + R"(},"anyOf":[)" +
               repeated(3000, R"({{"$ref":"#/$defs/e","type":"null"}})") + "]}",
           R"({"additionalProperties":false,"properties":{)" + properties + "}}",
       }) {
    EXPECT_NE(error_of(schema).find("written out"), std::string::npos) << error_of(schema);
  }
  const std::string constants = repeated(3000, R"({{"const":{0}}})");
  EXPECT_EQ(error_of(R"({"oneOf":[)" + constants + "]}"), "none");
  const std::string tagged =
      repeated(500, R"({{"type":"object","properties":{{"k":{{"const":{0}}}}},"required":["k"]}})");
  EXPECT_EQ(error_of(R"({"oneOf":[)" + tagged + "]}"), "none");
}

// What is written counts, at its end as at its beginning.
TEST(SchemaBounds, GrammarsAreBoundedInSize) {
  EXPECT_NE(error_of(R"({"const":")" + std::string(120'000, '-') + R"("})").find("too large"),
            std::string::npos);
  const std::string optional =
      R"({"type":"object","properties":{)" + repeated(6000, R"("p{0}":{{}})") + "}}";
  EXPECT_NE(error_of(optional).find("too long to compile"), std::string::npos) << error_of(optional);
}

// One budget for all of a request's schemas and patterns. What is alike is compiled once, and costs once.
TEST(SchemaBounds, ABudgetHoldsForAll) {
  GrammarBudget budget;
  int fitting = 0;
  for (int i = 0; i < 100; ++i) {
    const auto schema = fmt::format(R"-({{"type":"string","pattern":"k{}.{{50}}"}})-", i);
    if (schema_to_ebnf(schema, budget)) ++fitting;
  }
  EXPECT_EQ(fitting, 10 + 9);  // 10 * 102 + 9 * 103 <= 2048
  GrammarBudget other;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(schema_to_ebnf(R"({"type":"string","pattern":".{100}"})", other));
    EXPECT_TRUE(schema_to_ebnf(R"({"type":"string","maxLength":40})", other));
  }
  EXPECT_FALSE(to_ebnf(*parse_regex(".{100}"), TextForm::kPlain, budget));
  GrammarBudget text;
  const std::string large = R"({"const":")" + std::string(30'000, '-') + R"("})";
  EXPECT_TRUE(schema_to_ebnf(large, text));
  EXPECT_TRUE(schema_to_ebnf(large, text));
  EXPECT_TRUE(schema_to_ebnf(large, text));
  const auto last = schema_to_ebnf(large, text);
  ASSERT_FALSE(last);
  EXPECT_NE(last.error().message.find("too large"), std::string::npos);
}

}  // namespace
}  // namespace quire
