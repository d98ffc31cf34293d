#include "chat/output_style.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(OutputStyle, Names) {
  EXPECT_EQ(tool_style("hermes"), ToolStyle::kHermes);
  EXPECT_EQ(tool_style("pythonic"), ToolStyle::kPythonic);
  EXPECT_EQ(tool_style("Hermes"), std::nullopt);
  EXPECT_EQ(reasoning_style("deepseek_r1"), ReasoningStyle::kFromStart);
  EXPECT_EQ(reasoning_style("auto"), std::nullopt);
}

TEST(OutputStyle, IsFoundInTheTemplate) {
  EXPECT_EQ(detect_tool_style("{{ '<tool_call>' }}"), ToolStyle::kHermes);
  EXPECT_EQ(detect_tool_style("<tool_call><function=x>"), ToolStyle::kNone);
  EXPECT_EQ(detect_tool_style("... [TOOL_CALLS] ..."), ToolStyle::kMistral);
  EXPECT_EQ(detect_tool_style("'<｜tool▁calls▁begin｜>'"), ToolStyle::kDeepseekV3);
  EXPECT_EQ(detect_tool_style("<|python_tag|>"), ToolStyle::kLlama3Json);
  EXPECT_EQ(detect_tool_style("{% for m in messages %}{{ m.content }}{% endfor %}"), ToolStyle::kNone);
  EXPECT_EQ(detect_reasoning_style("<think>\n</think>"), ReasoningStyle::kMarked);
  EXPECT_EQ(detect_reasoning_style("<｜Assistant｜> </think>"), ReasoningStyle::kFromStart);
  EXPECT_EQ(detect_reasoning_style("think"), ReasoningStyle::kNone);
}

TEST(OutputStyle, OpenersStartOnce) {
  for (const char* name : {"none", "hermes", "llama3_json", "mistral", "deepseek_v3", "pythonic"}) {
    const std::string_view opener = call_style(*tool_style(name)).opener;
    EXPECT_EQ(opener.find(opener.substr(0, 1), 1), std::string_view::npos) << opener;
  }
  EXPECT_EQ(kThinkClose.find(kThinkClose[0], 1), std::string_view::npos);
}

}  // namespace
}  // namespace quire
