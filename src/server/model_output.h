// How the served model writes what clients want apart, tool calls and reasoning, and what its chat template
// takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chat/chat_template.h"
#include "chat/output_style.h"
#include "chat/template_traits.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// As --tool-call-parser and --reasoning-parser name them; auto: as the chat template says.
struct ParserNames {
  std::string tool_calls = "auto";
  std::string reasoning = "auto";
};

struct ModelOutput {
  ToolStyle tool_style = ToolStyle::kNone;
  ReasoningStyle reasoning_style = ReasoningStyle::kNone;
  TemplateTraits traits;
  // Control tokens that are marks of the tool style, and of the reasoning style: text for who reads them.
  std::vector<TokenId> call_marks, reasoning_marks;
};

// `chat_template` is null if the model has none. Names that are none of the styles' stand for none.
ModelOutput describe_output(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                            const ParserNames& names, int64_t unix_seconds);

}  // namespace quire
