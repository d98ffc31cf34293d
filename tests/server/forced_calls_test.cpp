#include "server/requests/forced_calls.h"

#include <gtest/gtest.h>

#include "grammar/grammar_compiler.h"

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

ModelOutput output_of(ToolStyle style, std::vector<TokenId> marker_tokens = {}) {
  ModelOutput output;
  output.tool_style = style;
  output.marker_tokens = std::move(marker_tokens);
  return output;
}

std::string grammar_text(ToolStyle style, const ToolOffer& offer) {
  const auto grammar = call_grammar(output_of(style), offer);
  if (!grammar) return "error " + grammar.error().param;
  if (!*grammar) return "none";
  EXPECT_EQ((*grammar)->kind, GrammarKind::kStructuralTag);
  const auto source = GrammarCompiler::source(**grammar);
  EXPECT_TRUE(source) << source.error().message;
  return (*grammar)->text;
}

TEST(ForcedCalls, NothingIsForcedUnlessAsked) {
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, offer_of(ToolChoice::kAuto)), "none");
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, offer_of(ToolChoice::kNone, true)), "none");
  EXPECT_EQ(grammar_text(ToolStyle::kHermes, {}), "none");
}

TEST(ForcedCalls, EveryStyleThatHasJsonCanBeForced) {
  for (const ToolStyle style :
       {ToolStyle::kHermes, ToolStyle::kLlama3Json, ToolStyle::kMistral, ToolStyle::kDeepseekV3}) {
    const std::string text = grammar_text(style, offer_of(ToolChoice::kRequired));
    EXPECT_TRUE(text.contains("at_least_one")) << text;
  }
  EXPECT_EQ(grammar_text(ToolStyle::kPythonic, offer_of(ToolChoice::kRequired)), "error tool_choice");
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
  EXPECT_EQ(grammar_text(ToolStyle::kLlama3Json, offer_of(ToolChoice::kAuto, true)), "error tools");
  const ModelOutput control_tokens = output_of(ToolStyle::kMistral, {7});
  EXPECT_FALSE(call_grammar(control_tokens, offer_of(ToolChoice::kAuto, true)));
  EXPECT_TRUE(call_grammar(control_tokens, offer_of(ToolChoice::kRequired)));
}

}  // namespace
}  // namespace quire
