#include "server/model_output.h"

#include <algorithm>

namespace quire {

ModelOutput describe_output(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                            const ParserNames& names, int64_t unix_seconds) {
  ModelOutput output;
  const std::string& text = tokenizer.spec().chat_template;
  output.tool_style = names.tool_calls == "auto" ? detect_tool_style(text)
                                                 : tool_style(names.tool_calls).value_or(ToolStyle::kNone);
  output.reasoning_style = names.reasoning == "auto"
                               ? detect_reasoning_style(text)
                               : reasoning_style(names.reasoning).value_or(ReasoningStyle::kNone);
  if (chat_template) output.traits = probe_template(*chat_template, unix_seconds);
  const auto markers = call_style(output.tool_style).markers;
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(id)) continue;
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (std::ranges::find(markers, bytes) != markers.end()) output.call_marks.push_back(id);
    if (output.reasoning_style == ReasoningStyle::kNone) continue;
    if (bytes == kThinkOpen || bytes == kThinkClose) output.reasoning_marks.push_back(id);
  }
  return output;
}

}  // namespace quire
