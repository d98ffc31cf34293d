// Token deltas to text deltas, on the consumer's thread: decodes without splitting UTF-8, finds stop strings (also
// across deltas: text that may be the start of one is held back), and keeps the offsets that logprobs need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/sampling_params.h"
#include "engine/request_stream.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A token as clients see it in logprobs.
struct OutputToken {
  TokenId id = 0;
  float logprob = 0;
  std::vector<TokenLogprob> top;
  int64_t text_offset = 0;  // bytes of text before it in its continuation
};

struct TextDelta {
  int32_t index = 0;
  std::string text;                  // whole characters; empty while held back
  std::vector<OutputToken> tokens;   // the stopping token included
  FinishReason finish_reason = FinishReason::kNone;
  std::variant<std::monostate, TokenId, std::string> stop_reason;  // what stopped it: a token of stop_token_ids, a string
};

// One a request.
class OutputProcessor {
 public:
  OutputProcessor(const Tokenizer& tokenizer, const SamplingParams& params);

  // Appends to `out` what `delta` made visible. When a stop string ends a continuation, its finish_reason is kStop though
  // the engine goes on: the caller must then call LLMEngine::finish(id, index); what comes after is ignored here.
  void process(const TokenDelta& delta, std::vector<TextDelta>& out);

  // True when every continuation has ended (by the engine or by a stop string).
  bool done() const { return open_ == 0; }

 private:
  struct Continuation;
  const Tokenizer& tokenizer_;
  const SamplingParams params_;
  std::vector<Continuation> continuations_;
  int32_t open_;
};

}  // namespace quire
