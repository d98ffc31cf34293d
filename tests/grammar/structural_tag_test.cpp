#include "grammar/structural_tag.h"

#include <gtest/gtest.h>

#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

TEST(StructuralTag, BothFormsMeanTheSame) {
  GrammarFixture fixture;
  const auto old_form =
      fixture.compile(GrammarKind::kStructuralTag,
                      R"({"type":"structural_tag","structures":[{"begin":"<f>","schema":{"type":"object",)"
                      R"("properties":{"a":{"type":"integer"}},"required":["a"]},"end":"</f>"}],)"
                      R"("triggers":["<f"]})");
  const auto new_form =
      fixture.compile(GrammarKind::kStructuralTag,
                      R"({"type":"structural_tag","format":{"type":"triggered_tags","triggers":["<f"],)"
                      R"("tags":[{"type":"tag","begin":"<f>","content":{"type":"json_schema",)"
                      R"("json_schema":{"type":"object","properties":{"a":{"type":"integer"}},)"
                      R"("required":["a"]}},"end":"</f>"}]}})");
  for (const auto& grammar : {old_form, new_form}) {
    EXPECT_TRUE(accepts(grammar, "any text"));
    EXPECT_TRUE(accepts(grammar, "call <f>{\"a\": 1}</f> and more"));
    EXPECT_FALSE(accepts(grammar, "call <f>{\"a\": true}</f>"));
    EXPECT_FALSE(accepts(grammar,
                         "call <g"
                         "<f>{}</f>"));
  }
}

TEST(StructuralTag, EveryFormatOfTags) {
  GrammarFixture fixture;
  struct Row {
    const char* format;
    std::vector<const char*> valid, invalid;
  };
  const Row rows[] = {
      {R"({"type":"const_string","value":"a\"b"})", {"a\"b"}, {"", "ab"}},
      {R"({"type":"json_schema","json_schema":{"enum":[1]},"style":"json"})", {"1"}, {"2"}},
      {R"({"type":"json_schema","json_schema":true})", {"[2]"}, {"x"}},
      {R"({"type":"regex","pattern":"a{2}"})", {"aa"}, {"a"}},
      {R"({"type":"grammar","grammar":"root ::= \"a\" | \"b\""})", {"a", "b"}, {"ab"}},
      {R"({"type":"any_text"})", {"", "x\ny"}, {}},
      {R"({"type":"any_text","excludes":["no"]})", {"n", "yes"}, {"no", "xno"}},
      {R"({"type":"any_text","max_chars":2,"max_tokens":null})", {"ab"}, {"abc"}},
      {R"({"type":"or","elements":[{"type":"const_string","value":"a"},{"type":"regex","pattern":"b+"}]})",
       {"a", "bb"},
       {"ab"}},
      {R"({"type":"sequence","elements":[{"type":"optional","content":{"type":"const_string","value":"a"}},)"
       R"({"type":"star","content":{"type":"const_string","value":"b"}},)"
       R"({"type":"plus","content":{"type":"const_string","value":"c"}}]})",
       {"c", "abbcc"},
       {"ab", "aac"}},
      {R"({"type":"repeat","min":1,"max":2,"content":{"type":"const_string","value":"a"}})",
       {"a", "aa"},
       {"", "aaa"}},
      {R"({"type":"repeat","min":1,"max":-1,"content":{"type":"const_string","value":"a"}})",
       {"a", "aaaa"},
       {""}},
      {R"({"type":"tag","begin":"<","content":{"type":"any_text"},"end":[">","/>"]})",
       {"<a>", "<a/>"},
       {"<a", "a>"}},
      // Where a tag must stand, and nothing else, its type may be missing.
      {R"({"type":"triggered_tags","triggers":["<"],"tags":)"
       R"([{"begin":"<","content":{"type":"regex","pattern":"[0-9]"},"end":">"}]})",
       {"", "a <1> b"},
       {"<a>"}},
      {R"({"type":"tags_with_separator","separator":",","at_least_one":true,)"
       R"("stop_after_first":false,"tags":)"
       R"([{"type":"tag","begin":"<","content":{"type":"regex","pattern":"[0-9]"},"end":">"}]})",
       {"<1>", "<1>,<2>"},
       {"", "(1)(2)"}},
      {R"({"type":"triggered_tags","triggers":["<"],"excludes":["no"],"at_least_one":false,"tags":)"
       R"([{"type":"tag","begin":"<","content":{"type":"regex","pattern":"[0-9]"},"end":">"}]
})",
       {"", "a <1> b"},
       {"<a>", "no"}},
  };
  for (const Row& row : rows) {
    const auto grammar =
        fixture.compile(GrammarKind::kStructuralTag, fmt::format(R"({{"format":{}}})", row.format));
    ASSERT_NE(grammar, nullptr) << row.format;
    for (const char* text : row.valid) EXPECT_TRUE(accepts(grammar, text)) << text << " for " << row.format;
    for (const char* text : row.invalid)
      EXPECT_FALSE(accepts(grammar, text)) << text << " for " << row.format;
  }
}

// What xgrammar would take and nobody has bounded.
TEST(StructuralTag, OtherTagsAreRefused) {
  GrammarFixture fixture;
  const std::string deep = [] {
    std::string text = R"({"type":"const_string","value":"a"})";
    for (int i = 0; i < 70; ++i) text = fmt::format(R"({{"type":"plus","content":{}}})", text);
    return text;
  }();
  std::string many = R"({"type":"or","elements":[)";
  for (int i = 0; i < 1024; ++i) many += fmt::format(R"({}{{"type":"any_text"}})", i ? "," : "");
  std::string patterns = R"({"type":"or","elements":[)";
  for (int i = 0; i < 5; ++i) {
    patterns += fmt::format(R"({}{{"type":"regex","pattern":"[ab]{{{}}}"}})", i ? "," : "", 490 + i);
  }
  const std::pair<std::string, const char*> cases[] = {
      {R"({"type":"json_schema","json_schema":{"not":{}}})", "'not'"},
      {R"({"json_schema":{"$ref":"#"}})", "no object with a type"},
      {R"({"type":5})", "no object with a type"},
      {"[]", "no object with a type"},
      {R"({"value":"a"})", "no object with a type"},
      {R"({"type":"nothing"})", "'nothing', which is not supported"},
      {R"({"type":"qwen_xml_parameter","json_schema":{"$ref":"#"}})", "not supported"},
      {R"({"type":"token","token":5})", "not supported"},
      {R"({"type":"any_tokens","exclude_tokens":[]})", "not supported"},
      {R"({"type":"dispatch","rules":[["a",{"type":"any_text"}]]})", "not supported"},
      {R"({"type":"json_schema","json_schema":{},"style":"qwen_xml"})", "style is not 'json'"},
      {R"({"type":"json_schema","json_schema":{},"any_order":true})",
       "'any_order', which is not supported"},
      {R"({"type":"json_schema","json_schema":{},"strict":false})", "'strict', which is not supported"},
      {R"({"type":"json_schema","json_schema":{"type":"null"},"json_schema":{"$ref":"#"}})", "twice"},
      {R"({"type":"any_text","type":"json_schema"})", "twice"},
      {R"({"type":"json_schema"})", "without json_schema"},
      {R"({"type":"regex","pattern":"a{1,100000}"})", "written out"},
      {R"({"type":"regex","pattern":5})", "pattern is not a string"},
      {R"({"type":"grammar","grammar":"root ::= \"a\"{9999}"})", "repeats"},
      {R"({"type":"repeat","min":0,"max":5000,"content":{"type":"any_text"}})", "integer of -1 to 4096"},
      {R"({"type":"repeat","min":1.5,"max":5,"content":{"type":"any_text"}})", "integer of 0 to 4096"},
      {R"({"type":"repeat","min":0,"max":90,"content":{"type":"repeat","min":0,"max":90,"content":)"
       R"({"type":"const_string","value":"a"}}})",
       "repeats too much"},
      {R"({"type":"repeat","min":0,"max":90,"content":{"type":"grammar","grammar":"root ::= \"a\"{90}"}})",
       "repeats too much"},
      {R"({"type":"tag","begin":{"type":"token","token":5},"content":{"type":"any_text"},"end":"a"})",
       "begin is not a string"},
      {R"({"type":"tag","begin":"a","content":{"type":"any_text"},"end":[5]})", "end is not an array"},
      {R"({"type":"tag","begin":"a","content":{"json_schema":{}},"end":"b"})", "no object with a type"},
      {R"({"type":"triggered_tags","triggers":["a"],"tags":[{"type":"any_text"}]})",
       "where a tag must stand"},
      {R"({"type":"triggered_tags","triggers":["a"],"tags":[{"type":5,"begin":"a","content":)"
       R"({"type":"any_text"},"end":"b"}]})",
       "no object with a type"},
      {R"({"type":"triggered_tags","triggers":["a"],"tags":[{"content":{"type":"any_text"},"end":"b"}]})",
       "without begin"},
      {R"({"type":"triggered_tags","triggers":[""],"tags":[]})", "triggers is not an array"},
      {R"({"type":"any_text","max_chars":1e9})", "max_chars is not"},
      {R"({"type":"any_text","excludes":"a"})", "excludes is not an array"},
      {deep, "at most 64 levels"},
      {many + "]}", "at most 1024 formats"},
      {patterns + "]}", "too long to compile"},
  };
  for (const auto& [format, message] : cases) {
    const std::string error =
        fixture.error(GrammarKind::kStructuralTag, fmt::format(R"({{"format":{}}})", format));
    EXPECT_TRUE(error.contains(message)) << format.substr(0, 200) << ": " << error;
  }
  for (const char* tag :
       {R"({"structures":5,"triggers":[]})", R"({"structures":[{}],"triggers":["a"]})",
        R"({"structures":[5],"triggers":["a"]})", R"({"structures":[],"triggers":5})", "{}",
        R"({"structures":[{"begin":"a","end":"b","schema":{"$ref":"#"}}],"triggers":["a"]})"}) {
    EXPECT_NE(fixture.error(GrammarKind::kStructuralTag, tag), "") << tag;
  }
}

// One budget for all that a tag holds: each of these fits by itself.
TEST(StructuralTag, ItsPartsShareABudget) {
  const auto error = [](auto part) {
    std::string tag = R"({"format":{"type":"or","elements":[)";
    for (int i = 0; i < 30; ++i) tag += (i > 0 ? "," : "") + part(i);
    GrammarBudget budget;
    const auto source = read_structural_tag(tag + "]}}", TagAuthor::kClient, budget);
    return source ? "none" : source.error().message;
  };
  EXPECT_TRUE(error([](int i) {
                return fmt::format(R"-({{"type":"regex","pattern":"[a-z]{{50}}{}"}})-", i);
              }) == "none");
  for (const std::string& failure : {
           error([](int i) { return fmt::format(R"-({{"type":"regex","pattern":".{{50}}{}"}})-", i); }),
           error([](int i) {
             return fmt::format(
                 R"-({{"type":"json_schema","json_schema":{{"type":"string","pattern":".{{50}}{}"}}}})-",
                 i);
           }),
           error([](int i) {
             return fmt::format(R"-({{"type":"grammar","grammar":"root ::= [^a]{{50}} \"{}\""}})-", i);
           }),
       }) {
    EXPECT_TRUE(failure.contains("too long to compile")) << failure;
  }
  EXPECT_TRUE(error([](int i) {
                return fmt::format(R"({{"type":"json_schema","json_schema":{{"const":"{}{}"}}}})",
                                   std::string(5000, '-'), i);
              }).contains("too large"));
}

TEST(StructuralTag, ReasoningComesFirst) {
  GrammarFixture fixture;
  const GrammarSpec specs[] = {
      {.kind = GrammarKind::kRegex, .text = "[ab]+", .field = "f"},
      {.kind = GrammarKind::kStructuralTag,
       .text = R"({"format":{"type":"regex","pattern":"[ab]+"}})",
       .field = "f"},
  };
  for (GrammarSpec spec : specs) {
    spec.reasoning = ReasoningMarks{"", "</t>"};
    const auto after = fixture.compiler.compile(spec);
    ASSERT_TRUE(after) << after.error().message;
    for (const char* text : {"</t>ab", "hm, {\"</t\nwell</t>\n\na", "<t></t> b"}) {
      EXPECT_TRUE(accepts(*after, text)) << text;
    }
    for (const char* text : {"ab", "hm</t>", "hm</t>c", "hm</t>\n\n\n\n\na", "a</t>a</t>a"}) {
      EXPECT_FALSE(accepts(*after, text)) << text;
    }
    spec.reasoning = ReasoningMarks{"<t>", "</t>"};
    const auto maybe = fixture.compiler.compile(spec);
    ASSERT_TRUE(maybe) << maybe.error().message;
    for (const char* text : {"ab", "<t>hm</t>\n\nab", "<t></t>b"}) {
      EXPECT_TRUE(accepts(*maybe, text)) << text;
    }
    // A blank that only reasoning may begin with would lead a model into it that writes one before all.
    for (const char* text : {"hm</t>ab", "<t>ab", "<t>hm</t>", " ab", "a<t></t>b", "\n<t></t>b", " "}) {
      EXPECT_FALSE(accepts(*maybe, text)) << text;
    }
  }
}

}  // namespace
}  // namespace quire
