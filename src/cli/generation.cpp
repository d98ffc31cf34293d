#include "cli/generation.h"

#include <array>
#include <chrono>
#include <vector>

#include "cli/field_flags.h"
#include "engine/output_processor.h"

namespace quire {

void add_sampling_flags(CLI::App& app, SamplingFlags& flags, const std::string& max_tokens_default) {
  static constexpr std::array<std::string_view, 4> kElsewhere{"n", "max_tokens", "logprobs",
                                                              "prompt_logprobs"};
  app.add_option("--max-tokens", flags.max_tokens,
                 "most tokens to generate (default: " + max_tokens_default + ")")
      ->type_name("TOKENS")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()).description(""))
      ->group("Sampling");
  app.add_option("--stop", flags.params.stop, "end the answer before this text; may be given several times")
      ->type_name("TEXT")
      ->expected(1)
      ->take_all()
      ->group("Sampling");
  add_field_flags(app, flags.params, sampling_fields(), "Sampling", kElsewhere);
}

Expected<GeneratedText> generate(ServedModel& model, PreparedPrompt prompt,
                                 FunctionRef<void(std::string_view text)> on_text,
                                 FunctionRef<bool()> cancelled) {
  OutputProcessor processor(model.tokenizer, prompt.sampling);
  auto stream = model.engine.submit(std::move(prompt.tokens), prompt.sampling);
  if (!stream) return std::unexpected(stream.error());
  const RequestId id = (*stream)->id();
  GeneratedText answer;
  std::vector<TokenDelta> tokens;
  std::vector<TextDelta> texts;
  for (bool more = true; more && !processor.done();) {
    more = (*stream)->wait(tokens, std::chrono::milliseconds(50));
    for (const TokenDelta& delta : tokens) {
      // A stop string: the engine has gone on.
      if (processor.process(delta, texts)) model.engine.finish(id, delta.index);
    }
    for (const TextDelta& delta : texts) {
      if (delta.finish_reason != FinishReason::kNone) answer.reason = delta.finish_reason;
      if (delta.text.empty()) continue;
      answer.text += delta.text;
      on_text(delta.text);
    }
    tokens.clear();
    texts.clear();
    if (!processor.done() && cancelled()) {
      model.engine.abort(id);
      answer.reason = FinishReason::kAborted;
      return answer;
    }
  }
  if (answer.reason == FinishReason::kError || answer.reason == FinishReason::kNone) {
    return fail(ErrorCode::kInternal, "the engine failed in the middle of the answer");
  }
  return answer;
}

}  // namespace quire
