#include "chat/output_style.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quire {
namespace {

using Kind = CallStep::Kind;
constexpr CallStep kSpace{Kind::kSpace}, kName{Kind::kName}, kId{Kind::kId}, kArguments{Kind::kArguments},
    kJsonCalls{Kind::kJsonCalls}, kPythonCalls{Kind::kPythonCalls};
constexpr CallStep text(std::string_view text) { return {Kind::kText, text}; }

// <tool_call>{"name": "f", "arguments": {}}</tool_call>: Hermes, Qwen 2.5 and 3.
constexpr std::string_view kHermesMarkers[] = {"<tool_call>", "</tool_call>"};
constexpr CallStep kHermesCall[] = {kSpace, kJsonCalls, kSpace, text("</tool_call>")};
constexpr CallPattern kHermesCalls[] = {kHermesCall};
constexpr CallStyle kHermes{"<tool_call>", kHermesCalls, {}, {}, kHermesMarkers};

// {"name": "f", "parameters": {}}; {"name": ...}, after <|python_tag|> or as the whole answer: Llama 3.
constexpr std::string_view kLlamaMarkers[] = {"<|python_tag|>"};
constexpr CallStep kLlamaCall[] = {kSpace, kJsonCalls};
constexpr CallStep kLlamaTaggedCall[] = {kSpace, text("<|python_tag|>"), kSpace, kJsonCalls};
constexpr CallStep kLlamaNextCall[] = {kSpace, text(";"), kSpace, kJsonCalls};
constexpr CallPattern kLlamaOpened[] = {kLlamaCall}, kLlamaStart[] = {kLlamaCall, kLlamaTaggedCall},
                      kLlamaNext[] = {kLlamaCall, kLlamaNextCall};
constexpr CallStyle kLlama3Json{"<|python_tag|>", kLlamaOpened, kLlamaStart, kLlamaNext, kLlamaMarkers};

// [TOOL_CALLS][{"name": "f", "arguments": {}}, ...], and since 2025 [TOOL_CALLS]f{}: Mistral.
constexpr std::string_view kMistralMarkers[] = {"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"};
constexpr CallStep kMistralList[] = {kSpace, kJsonCalls};
constexpr CallStep kMistralCall[] = {kSpace, kName, kSpace, kArguments};
constexpr CallStep kMistralMarkedCall[] = {kSpace, kName, text("[ARGS]"), kSpace, kArguments};
constexpr CallStep kMistralCallWithId[] = {kSpace,         kName,  text("[CALL_ID]"), kId,
                                           text("[ARGS]"), kSpace, kArguments};
constexpr CallPattern kMistralOpened[] = {kMistralList, kMistralCall, kMistralMarkedCall,
                                          kMistralCallWithId};
constexpr CallStyle kMistral{"[TOOL_CALLS]", kMistralOpened, {}, {}, kMistralMarkers, true};

// Between marks, function, a separator, the name and a fenced JSON object (V3, R1); or the name, the
// separator and a JSON object (V3.1).
constexpr std::string_view kDeepseekMarkers[] = {"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
                                                 "<｜tool▁sep｜>", "<｜tool▁call▁end｜>",
                                                 "<｜tool▁calls▁end｜>"};
constexpr CallStep kDeepseekCall[] = {kSpace,
                                      text("<｜tool▁call▁begin｜>function<｜tool▁sep｜>"),
                                      kName,
                                      kSpace,
                                      text("```json"),
                                      kSpace,
                                      kArguments,
                                      kSpace,
                                      text("```"),
                                      kSpace,
                                      text("<｜tool▁call▁end｜>")};
constexpr CallStep kDeepseekShortCall[] = {
    kSpace, text("<｜tool▁call▁begin｜>"), kName, text("<｜tool▁sep｜>"), kSpace, kArguments,
    kSpace, text("<｜tool▁call▁end｜>")};
constexpr CallStep kDeepseekEnd[] = {kSpace, text("<｜tool▁calls▁end｜>")};
constexpr CallPattern kDeepseekOpened[] = {kDeepseekCall, kDeepseekShortCall},
                      kDeepseekNext[] = {kDeepseekCall, kDeepseekShortCall, kDeepseekEnd};
constexpr CallStyle kDeepseekV3{
    "<｜tool▁calls▁begin｜>", kDeepseekOpened, {}, kDeepseekNext, kDeepseekMarkers};

// [f(a=1, b="x"), g()] as the whole answer: Llama 3.2 and 4 where asked so, and others.
constexpr CallStep kPythonicList[] = {kSpace, kPythonCalls};
constexpr CallPattern kPythonicStart[] = {kPythonicList};
constexpr CallStyle kPythonic{{}, {}, kPythonicStart, {}, {}};

constexpr CallStyle kNoStyle{};

constexpr std::array<std::pair<std::string_view, ToolStyle>, 6> kToolStyles{
    {{"none", ToolStyle::kNone},
     {"hermes", ToolStyle::kHermes},
     {"llama3_json", ToolStyle::kLlama3Json},
     {"mistral", ToolStyle::kMistral},
     {"deepseek_v3", ToolStyle::kDeepseekV3},
     {"pythonic", ToolStyle::kPythonic}}};

template <class Style, size_t N>
std::optional<Style> named(const std::array<std::pair<std::string_view, Style>, N>& rows,
                           std::string_view name) {
  const auto row = std::ranges::find(rows, name, [](const auto& r) { return r.first; });
  return row == rows.end() ? std::nullopt : std::optional(row->second);
}

}  // namespace

std::optional<ToolStyle> tool_style(std::string_view name) { return named(kToolStyles, name); }

std::string_view style_name(ToolStyle style) {
  return std::ranges::find(kToolStyles, style, [](const auto& row) { return row.second; })->first;
}

std::optional<ReasoningStyle> reasoning_style(std::string_view name) {
  using Row = std::pair<std::string_view, ReasoningStyle>;
  static constexpr std::array<Row, 3> kRows{{{"none", ReasoningStyle::kNone},
                                             {"deepseek_r1", ReasoningStyle::kFromStart},
                                             {"qwen3", ReasoningStyle::kMarked}}};
  return named(kRows, name);
}

ToolStyle detect_tool_style(std::string_view chat_template) {
  const auto says = [&](std::string_view words) { return chat_template.contains(words); };
  if (says("<｜tool▁calls▁begin｜>")) return ToolStyle::kDeepseekV3;
  if (says("[TOOL_CALLS]")) return ToolStyle::kMistral;
  if (says("<tool_call>")) return says("<function=") ? ToolStyle::kNone : ToolStyle::kHermes;
  if (says("func_name1(")) return ToolStyle::kPythonic;
  const bool llama = says("<|start_header_id|>") && says("\"parameters\": dictionary of argument name");
  return llama || says("<|python_tag|>") ? ToolStyle::kLlama3Json : ToolStyle::kNone;
}

ReasoningStyle detect_reasoning_style(std::string_view chat_template) {
  if (!chat_template.contains(kThinkClose)) return ReasoningStyle::kNone;
  return chat_template.contains("<｜Assistant｜>") ? ReasoningStyle::kFromStart : ReasoningStyle::kMarked;
}

const CallStyle& call_style(ToolStyle style) {
  switch (style) {
    case ToolStyle::kNone: break;
    case ToolStyle::kHermes: return kHermes;
    case ToolStyle::kLlama3Json: return kLlama3Json;
    case ToolStyle::kMistral: return kMistral;
    case ToolStyle::kDeepseekV3: return kDeepseekV3;
    case ToolStyle::kPythonic: return kPythonic;
  }
  return kNoStyle;
}

std::optional<CallFrame> call_frame(ToolStyle style, const std::string& name) {
  switch (style) {
    case ToolStyle::kHermes:
      return CallFrame{.begin = "<tool_call>\n{\"name\": \"" + name + "\", \"arguments\": ",
                       .end = "}\n</tool_call>",
                       .separator = "\n",
                       .trigger = "<tool_call>"};
    case ToolStyle::kLlama3Json:
      return CallFrame{.begin = "{\"name\": \"" + name + "\", \"parameters\": ",
                       .end = "}",
                       .separator = "; ",
                       .trigger = "<|python_tag|>",
                       .at_start = true};
    case ToolStyle::kMistral:
      return CallFrame{.begin = "[TOOL_CALLS]" + name, .end = "", .trigger = "[TOOL_CALLS]"};
    case ToolStyle::kDeepseekV3:
      return CallFrame{.begin = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>" + name + "\n```json\n",
                       .end = "\n```<｜tool▁call▁end｜>",
                       .separator = "\n",
                       .row_begin = "<｜tool▁calls▁begin｜>",
                       .row_end = "<｜tool▁calls▁end｜>",
                       .trigger = "<｜tool▁calls▁begin｜>"};
    case ToolStyle::kPythonic:
      return CallFrame{.begin = name + "(",
                       .end = ")",
                       .separator = ", ",
                       .row_begin = "[",
                       .row_end = "]",
                       .at_start = true,
                       .python = true};
    case ToolStyle::kNone: break;
  }
  return std::nullopt;
}

}  // namespace quire
