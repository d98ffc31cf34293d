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

// A schema that cannot be kept to as a whole is kept to as far as it can be, unless it says strict.
TEST(ForcedCalls, StrictToolsAreKeptToAsAWhole) {
  for (const ToolStyle style : {ToolStyle::kHermes, ToolStyle::kPythonic}) {
    for (const ToolChoice choice : {ToolChoice::kAuto, ToolChoice::kRequired}) {
      for (const bool strict : {false, true}) {
        ToolOffer offer = offer_of(choice, strict);
        offer.tools[0].parameters_json =
            R"({"type":"object","properties":{"x":{"type":"array","uniqueItems":true}}})";
        const auto spec = call_grammar(output_of(style), offer);
        ASSERT_TRUE(spec);
        ASSERT_EQ(spec->has_value(), strict || choice == ToolChoice::kRequired);
        if (!*spec) continue;
        const auto source = GrammarCompiler::source(**spec);
        const std::string error = source ? "" : source.error().message;
        EXPECT_EQ(error.contains("'uniqueItems'"), strict) << error;
        EXPECT_EQ(error.empty(), !strict) << error;
      }
    }
  }
}

// Grammars on the echo model's vocabulary, where a token is a byte.
class CallGrammars : public testing::Test {
 protected:
  std::shared_ptr<const CompiledGrammar> compile(ToolStyle style, const ToolOffer& offer,
                                                 std::optional<GrammarSpec> form = std::nullopt) {
    const auto spec = call_grammar(output_of(style), offer, std::move(form));
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

GrammarSpec form_of(GrammarKind kind, std::string text) {
  return {.kind = kind, .text = std::move(text), .field = "response_format"};
}

constexpr const char* kForm = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";

TEST_F(CallGrammars, BesideAForm) {
  const auto form = form_of(GrammarKind::kJsonSchema, kForm);
  for (const ToolStyle style : {ToolStyle::kHermes, ToolStyle::kLlama3Json, ToolStyle::kMistral,
                                ToolStyle::kDeepseekV3, ToolStyle::kPythonic}) {
    const CallFrame frame = *call_frame(style, "f");
    const std::string good = frame.begin + (frame.python ? "x=1" : R"({"x": 1})") + frame.end;
    const std::string other = frame.begin + (frame.python ? "x='1'" : R"({"x": []})") + frame.end;
    const auto row = [&](const std::string& calls) {
      return std::string(frame.row_begin) + calls + std::string(frame.row_end);
    };
    const std::string two = row(good + std::string(frame.separator) + good), text = R"({"n": 5})";
    const auto strict = compile(style, offer_of(ToolChoice::kAuto, true), form);
    for (const std::string& whole : {row(good), two, text}) EXPECT_TRUE(accepts(strict, whole)) << whole;
    for (const std::string& none :
         {row(other), text + row(good), row(good) + text, std::string("Well."), std::string()}) {
      EXPECT_FALSE(accepts(strict, none)) << none;
    }
    if (frame.at_start && !frame.trigger.empty()) {
      EXPECT_TRUE(accepts(strict, std::string(frame.trigger) + good));
      EXPECT_FALSE(accepts(strict, std::string(frame.trigger) + other));
    }
    const auto loose = compile(style, offer_of(ToolChoice::kAuto), form);
    const std::string any = frame.begin + (frame.python ? "y=[None]" : R"({"x": []})") + frame.end;
    for (const std::string& whole : {row(any), two, text}) EXPECT_TRUE(accepts(loose, whole)) << whole;
    EXPECT_FALSE(accepts(loose, "Well."));
    ToolOffer one = offer_of(ToolChoice::kAuto);
    one.parallel = false;
    EXPECT_FALSE(accepts(compile(style, one, form), two));
    const auto forced = compile(style, offer_of(ToolChoice::kRequired), form);
    EXPECT_TRUE(accepts(forced, row(good)));
    EXPECT_FALSE(accepts(forced, text));
    EXPECT_FALSE(accepts(forced, row(other)));
    EXPECT_FALSE(accepts(compile(style, offer_of(ToolChoice::kNone), form), row(good)));
  }
}

TEST_F(CallGrammars, BesideAnyKindOfForm) {
  const std::string call = "[TOOL_CALLS]f{}";
  GrammarSpec choice = form_of(GrammarKind::kChoice, "");
  choice.choices = {"yes", "no"};
  const std::pair<GrammarSpec, const char*> forms[] = {
      {form_of(GrammarKind::kJsonObject, ""), R"({"a": [1]})"},
      {form_of(GrammarKind::kRegex, "[a-z]+"), "abc"},
      {form_of(GrammarKind::kEbnf, "root ::= \"a\" | \"b\""), "b"},
      {choice, "yes"},
  };
  for (const auto& [form, text] : forms) {
    const auto grammar = compile(ToolStyle::kMistral, offer_of(ToolChoice::kAuto), form);
    EXPECT_TRUE(accepts(grammar, call)) << text;
    EXPECT_TRUE(accepts(grammar, text)) << text;
    EXPECT_FALSE(accepts(grammar, text + call)) << text;
  }
  // Without a style nothing is a call. A structural tag says itself what is one.
  const auto plain = compile(ToolStyle::kNone, offer_of(ToolChoice::kAuto), forms[0].first);
  EXPECT_FALSE(accepts(plain, call));
  const auto tag = form_of(GrammarKind::kStructuralTag,
                           R"({"format":{"type":"const_string","value":"a[TOOL_CALLS]f{}"}})");
  EXPECT_TRUE(accepts(compile(ToolStyle::kMistral, offer_of(ToolChoice::kAuto), tag), "a" + call));
  EXPECT_FALSE(accepts(compile(ToolStyle::kMistral, offer_of(ToolChoice::kAuto), tag), call));
}

// Each error names the field that it is of.
TEST_F(CallGrammars, WhatCannotStandBesideAForm) {
  const auto error = [&](const ToolOffer& offer, const GrammarSpec& form) {
    const auto spec = call_grammar(output_of(ToolStyle::kHermes), offer, form);
    if (!spec) return spec.error().param + ": " + spec.error().message;
    const auto source = GrammarCompiler::source(**spec);
    return source ? std::string("none") : source.error().param + ": " + source.error().message;
  };
  const auto tag = form_of(GrammarKind::kStructuralTag, R"({"format":{"type":"any_text"}})");
  const auto bad = form_of(GrammarKind::kJsonSchema, R"({"not":{}})");
  const auto good = form_of(GrammarKind::kJsonSchema, kForm);
  EXPECT_EQ(error(offer_of(ToolChoice::kAuto, true), good), "none");
  EXPECT_TRUE(error(offer_of(ToolChoice::kRequired), tag).starts_with("tool_choice: tool_choice asks"));
  EXPECT_TRUE(error(offer_of(ToolChoice::kAuto, true), tag).starts_with("tools: tools asks"));
  for (const ToolChoice choice : {ToolChoice::kAuto, ToolChoice::kRequired, ToolChoice::kNone}) {
    EXPECT_TRUE(error(offer_of(choice), bad).starts_with("response_format: "))
        << error(offer_of(choice), bad);
  }
  ToolOffer offer = offer_of(ToolChoice::kAuto, true);
  offer.tools[0].parameters_json = R"({"type":"object","not":{}})";
  EXPECT_TRUE(error(offer, good).starts_with("tools: ")) << error(offer, good);
  offer.tools[0].parameters_json =
      R"({"type":"object","description":")" + std::string(300'000, 'x') + "\"}";
  EXPECT_TRUE(error(offer, good).starts_with("tools: tools takes at most")) << error(offer, good);
  // What both cost to compile is one sum.
  const auto costly = [](const char* name) {
    std::string properties;
    for (int i = 0; i < 11; ++i)
      properties += fmt::format(R"({}"{}{}":{{"pattern":".{{50}}{}{}"}})", i ? "," : "", name, i, name, i);
    return R"({"type":"object","properties":{)" + properties + "}}";
  };
  offer.tools[0].parameters_json = costly("a");
  EXPECT_EQ(error(offer, good), "none");
  EXPECT_TRUE(error(offer, form_of(GrammarKind::kJsonSchema, costly("b"))).contains("too long to compile"));
}

}  // namespace
}  // namespace quire
