// Two bytes that choose the style and the pieces, then what a model wrote.
#include "base/check.h"
#include "chat/call_arguments.h"
#include "chat/output_parser.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {
namespace {

constexpr ToolStyle kStyles[] = {ToolStyle::kNone,    ToolStyle::kHermes,     ToolStyle::kLlama3Json,
                                 ToolStyle::kMistral, ToolStyle::kDeepseekV3, ToolStyle::kPythonic};
constexpr ReasoningStyle kReasoning[] = {ReasoningStyle::kNone, ReasoningStyle::kMarked};

ParsedOutput parse_output(const OutputSpec& spec, std::string_view text, size_t piece) {
  OutputParser parser(spec);
  ParsedOutput out;
  for (size_t at = 0; at < text.size(); at += piece) parser.push(text.substr(at, piece), out);
  parser.finish(out);
  CHECK(parser.steps() <= 10 * static_cast<int64_t>(text.size()) + 10, "{} steps", parser.steps());
  return out;
}

}  // namespace

void fuzz_output_parser(std::string_view input) {
  if (input.size() < 2) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  OutputSpec spec;
  spec.tool_style = kStyles[choice % std::size(kStyles)];
  spec.tools = {"f", "get_weather"};
  spec.reasoning_style = kReasoning[choice / 8 % 2];
  spec.in_reasoning = spec.reasoning_style != ReasoningStyle::kNone && choice / 16 % 2 == 1;
  spec.calls_alone = choice / 32 % 2 == 1;
  const std::string_view text = input.substr(2);
  const ParsedOutput whole = parse_output(spec, text, text.size() + 1);
  const ParsedOutput cut = parse_output(spec, text, 1 + static_cast<unsigned char>(input[1]) % 8);
  CHECK(whole.content == cut.content && whole.reasoning == cut.reasoning && whole.calls == cut.calls);
  for (const CallPiece& call : whole.calls) CHECK(readable_arguments(call.arguments), "no JSON begins so");
  CHECK(whole.content.size() + whole.reasoning.size() <= text.size());
  spec.tools = {"another"};
  spec.reasoning_style = ReasoningStyle::kNone;
  spec.in_reasoning = false;
  const ParsedOutput none = parse_output(spec, text, 3);
  if (none.calls.empty()) CHECK(none.content == text);
}

std::vector<std::string> output_parser_seeds() {
  const std::string texts[] = {
      "Well.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": [1, -2.5e3, "
      "\"\\u00e9\"]}}\n</tool_call>",
      "<think>\nHm.\n</think>\n\n<tool_call>{\"name\": \"f\"}</tool_call><tool_call>{\"name\": "
      "\"get_weather\"}",
      "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": null}}; {\"name\": \"f\"}",
      "{\"name\": \"get_weather\", \"parameters\": {}}",
      "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"f\"}]",
      "[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{\"x\": true}[TOOL_CALLS]get_weather{}",
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```<"
      "｜tool▁call▁end｜>"
      "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
      "<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": [1, \"\\ud83d\", 1e400, tru",
      "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}}, {\"arguments\": {\"y\": 2}, \"name\": \"f\"}, "
      "1]",
      "[f(a=1, b=\"x\\n\", c=[True, None, {'k': (1, 2)}]), get_weather()] done",
  };
  std::vector<std::string> seeds;
  for (const std::string& text : texts) {
    for (char style = 0; style < 12; ++style) {
      seeds.push_back(std::string{style, 2} + text);
      seeds.push_back(std::string{static_cast<char>(style + 32), 2} + text);
    }
  }
  return seeds;
}

}  // namespace quire
