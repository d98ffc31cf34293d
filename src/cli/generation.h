// One answer, streamed to whoever shows it: what `quire chat` and `quire complete` do between prompt and
// newline.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/function_ref.h"
#include "config/sampling_params.h"
#include "engine/request_stream.h"
#include "server/generation/prompt.h"

namespace quire {

struct SamplingFlags {
  // Milder than the API's defaults, which follow the model's distribution as it is: small models drift
  // there.
  SamplingFlags() { params.temperature = 0.7, params.top_p = 0.95; }

  SamplingParams params;
  std::optional<int32_t> max_tokens;
};

// The sampling fields that make sense for one continuation on a terminal. `max_tokens_default` is words for
// help.
void add_sampling_flags(CLI::App& app, SamplingFlags& flags, const std::string& max_tokens_default);

struct GeneratedText {
  std::string text;
  FinishReason reason = FinishReason::kNone;  // kAborted when it was cancelled
};

// Calls `on_text` with every piece of text as it comes, and `cancelled` about every 50 ms; once that says
// true, the request is aborted. Errors are those of LLMEngine::submit, or kInternal if the engine fails in
// mid-stream.
Expected<GeneratedText> generate(ServedModel& model, PreparedPrompt prompt,
                                 FunctionRef<void(std::string_view text)> on_text,
                                 FunctionRef<bool()> cancelled);

}  // namespace quire
