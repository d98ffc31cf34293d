#include "server/requests/forced_calls.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "chat/tool_call.h"
#include "grammar/grammar_compiler.h"
#include "tests/server/echo_model_fixture.h"

namespace quire {
namespace {

ToolOffer offer_of(ToolChoice choice, bool strict = false) {
  ToolOffer offer;
  offer.choice = choice;
  offer.tools.resize(2);
  offer.tools[0].name = "f";
  offer.tools[0].strict = strict;
  offer.tools[0].parameters_json = R"({"type":"object","properties":{"x":{"type":"integer"}}})";
  offer.tools[1].name = "g";
  return offer;
}

ModelOutput output_of(ToolStyle style) {
  ModelOutput output;
  output.tool_style = style;
  return output;
}

std::string grammar_text(ToolStyle style, const ToolOffer& offer) {
  const auto grammar = call_grammar(output_of(style), offer);
  if (!grammar) return "error " + grammar.error().param;
  if (!*grammar) return "none";
  EXPECT_EQ((*grammar)->kind, GrammarKind::kToolCalls);
  const auto source = GrammarCompiler::source(**grammar);
  EXPECT_TRUE(source) << source.error().message;
  return (*grammar)->text;
}

TEST(ForcedCalls, NothingIsForcedUnlessAsked) {
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, offer_of(ToolChoice::kAuto)), "none");
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, offer_of(ToolChoice::kNone, true)), "none");
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, {}), "none");
}

TEST(ForcedCalls, EveryStyleCanBeForced) {
  for (const ToolStyle style : {ToolStyle::kHermes, ToolStyle::kLlama3Json, ToolStyle::kMistral,
                                ToolStyle::kDeepseekV3, ToolStyle::kPythonic}) {
    const std::string text = grammar_text(style, offer_of(ToolChoice::kRequired));
    EXPECT_TRUE(text.contains("at_least_one")) << text;
  }
  EXPECT_EQ(grammar_text(ToolStyle::kNone, offer_of(ToolChoice::kRequired)), "error tool_choice");
}

TEST(ForcedCalls, ANamedToolIsTheOnlyOne) {
  ToolOffer offer = offer_of(ToolChoice::kRequired);
  offer.named = "g";
  const std::string text = grammar_text(ToolStyle::kHermes, offer);
  EXPECT_TRUE(text.contains(R"(\"name\": \"g\")")) << text;
  EXPECT_FALSE(text.contains(R"(\"name\": \"f\")")) << text;
  EXPECT_TRUE(text.contains(R"("stop_after_first":true)")) << text;
}

TEST(ForcedCalls, StrictToolsAreCheckedOnceACallBegins) {
  const std::string text = grammar_text(ToolStyle::kMistral, offer_of(ToolChoice::kAuto, true));
  EXPECT_TRUE(text.contains("triggered_tags")) << text;
  EXPECT_TRUE(text.contains("integer")) << text;
  const auto refused = call_grammar(output_of(ToolStyle::kNone), offer_of(ToolChoice::kAuto, true));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "tools");
  EXPECT_TRUE(refused.error().message.contains("(none)")) << refused.error().message;
}

// Grammars on the echo model's vocabulary, where a token is a byte.
class CallGrammars : public testing::Test {
 protected:
  std::shared_ptr<const CompiledGrammar> compile(ToolStyle style, const ToolOffer& offer) {
    const auto spec = call_grammar(output_of(style), offer);
    EXPECT_TRUE(spec && *spec);
    auto grammar = model.handle.grammars->compile(**spec);
    EXPECT_TRUE(grammar) << grammar.error().message;
    return grammar ? *grammar : nullptr;
  }
  static bool accepts(const std::shared_ptr<const CompiledGrammar>& grammar, std::string_view text) {
    GrammarMatcher matcher(grammar);
    const bool comes =
        std::ranges::all_of(text, [&](char c) { return matcher.accept(static_cast<unsigned char>(c)); });
    return comes && matcher.accept(kEndToken);
  }

  EchoModel model;
};

TEST_F(CallGrammars, StrictInTheStyleOfLlama) {
  const auto grammar = compile(ToolStyle::kLlama3Json, offer_of(ToolChoice::kAuto, true));
  const std::string good = R"({"name": "f", "parameters": {"x": 1}})",
                    other = R"({"name": "g", "parameters": {"y": []}})";
  for (const std::string& text :
       {good, other, good + "; " + other, "<|python_tag|>" + good, std::string("It is 5 {C}."),
        std::string("é <b>"), "I call <|python_tag|>" + good + "; " + good}) {
    EXPECT_TRUE(accepts(grammar, text)) << text;
  }
  const std::string bad = R"({"name": "f", "parameters": {"x": "1"}})";
  for (const std::string& text : {bad, good + "; " + bad, "<|python_tag|>" + bad, "a <|python_tag|>" + bad,
                                  " " + bad, "a <|python_tag|>" + good + "; " + bad, good + "\n" + bad,
                                  std::string(R"({"name": "h", "parameters": {}})"), std::string("{")}) {
    EXPECT_FALSE(accepts(grammar, text)) << text;
  }
  ToolOffer one = offer_of(ToolChoice::kAuto, true);
  one.parallel = false;
  EXPECT_TRUE(accepts(compile(ToolStyle::kLlama3Json, one), good));
  EXPECT_FALSE(accepts(compile(ToolStyle::kLlama3Json, one), good + "; " + good));
}

TEST_F(CallGrammars, InTheStyleOfPython) {
  ToolOffer offer = offer_of(ToolChoice::kRequired);
  offer.tools[1].name = "g-2";
  const std::string good = "f(x=1)", other = R"(g-2(y=[True, "z"]))", bad = R"(f(x="1"))";
  const auto forced = compile(ToolStyle::kPythonic, offer);
  for (const std::string& text :
       {"[" + good + "]", "[" + good + ", " + other + "]", std::string("[f(), f()]")}) {
    EXPECT_TRUE(accepts(forced, text)) << text;
    EXPECT_TRUE(read_python_calls(text, std::vector<std::string>{"f", "g-2"})) << text;
  }
  for (const std::string& text : {std::string("[]"), good, "[" + bad + "]", "[" + good + "] x",
                                  "[" + good + other + "]", std::string("[h()]"), std::string("Well.")}) {
    EXPECT_FALSE(accepts(forced, text)) << text;
  }
  offer.parallel = false;
  EXPECT_TRUE(accepts(compile(ToolStyle::kPythonic, offer), "[" + other + "]"));
  EXPECT_FALSE(accepts(compile(ToolStyle::kPythonic, offer), "[" + good + ", " + good + "]"));
  offer.named = "g-2";
  EXPECT_TRUE(accepts(compile(ToolStyle::kPythonic, offer), "[" + other + "]"));
  EXPECT_FALSE(accepts(compile(ToolStyle::kPythonic, offer), "[" + good + "]"));
}

TEST_F(CallGrammars, StrictInTheStyleOfPython) {
  const auto grammar = compile(ToolStyle::kPythonic, offer_of(ToolChoice::kAuto, true));
  for (const char* text : {"[f(x=1)]", "[g(y=[]), f()]", "It is [f(x='1')].", "é {}", "f(x='1')"}) {
    EXPECT_TRUE(accepts(grammar, text)) << text;
  }
  for (const char* text : {"[f(x='1')]", "[g(), f(x=None)]", " [f(x='1')]", "[f(x=1)] x", "<think>"}) {
    EXPECT_FALSE(accepts(grammar, text)) << text;
  }
}

TEST_F(CallGrammars, StrictInTheStyleOfDeepseek) {
  const auto grammar = compile(ToolStyle::kDeepseekV3, offer_of(ToolChoice::kAuto, true));
  const auto call = [](const std::string& arguments) {
    return "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n" + arguments +
           "\n```<｜tool▁call▁end｜>";
  };
  const std::string good = call(R"({"x": 1})"), bad = call(R"({"x": true})");
  const std::string begin = "<｜tool▁calls▁begin｜>", end = "<｜tool▁calls▁end｜>";
  EXPECT_TRUE(accepts(grammar, "Hello."));
  EXPECT_TRUE(accepts(grammar, "Well. " + begin + good + "\n" + good + end));
  EXPECT_FALSE(accepts(grammar, begin + end));
  EXPECT_FALSE(accepts(grammar, begin + bad + end));
  EXPECT_FALSE(accepts(grammar, begin + good + "\n" + bad + end));
}

TEST_F(CallGrammars, ToolsThatAreNotStrictTakeAnyObject) {
  for (const ToolStyle style : {ToolStyle::kHermes, ToolStyle::kMistral}) {
    const auto grammar = compile(style, offer_of(ToolChoice::kAuto, true));
    const CallFrame f = *call_frame(style, "f"), g = *call_frame(style, "g");
    EXPECT_TRUE(accepts(grammar, "a " + g.begin + R"({"x": "1"})" + g.end + " b")) << f.begin;
    EXPECT_TRUE(accepts(grammar, "a " + f.begin + R"({"x": 1})" + f.end)) << f.begin;
    EXPECT_FALSE(accepts(grammar, "a " + f.begin + R"({"x": "1"})" + f.end)) << f.begin;
  }
}

}  // namespace
}  // namespace quire
