// Token deltas to text deltas, on the consumer's thread: decodes without splitting UTF-8, finds stop
// strings (also across deltas: text that may be the start of one is held back), and keeps the offsets that
// logprobs need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/sampling_params.h"
#include "engine/request_stream.h"
#include "engine/stop_strings.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A token as clients see it in logprobs.
struct OutputToken {
  TokenId id = 0;
  float logprob = 0;
  std::vector<TokenLogprob> top;
  // Bytes of text before it in its continuation, before a stop string cuts it.
  int64_t text_offset = 0;
};

struct TextDelta {
  int32_t index = 0;
  std::string text;                 // whole characters; empty while held back
  std::vector<OutputToken> tokens;  // as they come, whether or not their text is held back
  FinishReason finish_reason = FinishReason::kNone;
  // What stopped it: a token of stop_token_ids, or a stop string; nothing for an end-of-sequence token.
  std::variant<std::monostate, TokenId, std::string> stop_reason;
};

// One a request. The rules, which are vLLM's:
// - The token that stops a continuation is among its tokens, but its text is left out, unless
//   include_stop_str_in_output (and then skip_special_tokens still leaves out a control token).
// - A stop string is looked for in the text, wherever tokens begin and end, and ends it where the first one
//   is complete. It must be completed by token number min_tokens or a later one; it may start before.
// - With best_of above n nothing comes before all continuations have ended. Then the n whose tokens have the
//   highest mean log-probability come at once, as continuations 0 to n - 1, the best first (of equals the
//   one drawn first). A token that stops counts; what comes after a stop string does not.
// - Text is held back only as long as it may be the start of a stop string or of a character. Any end but a
//   stop string brings what is held back.
class OutputProcessor {
 public:
  // `tokenizer` outlives the processor; `params` were validated. Of control tokens, `shown` are text even
  // with skip_special_tokens: whoever parses the text needs them.
  OutputProcessor(const Tokenizer& tokenizer, const SamplingParams& params,
                  std::vector<TokenId> shown = {});
  ~OutputProcessor();
  OutputProcessor(const OutputProcessor&) = delete;
  OutputProcessor& operator=(const OutputProcessor&) = delete;

  // Appends to `out` what `delta` made visible: one TextDelta, or none for a delta with neither token nor
  // end. True when a stop string ended the continuation, though the engine goes on: the caller must then
  // call LLMEngine::finish(id, delta.index); what comes after is ignored here.
  bool process(const TokenDelta& delta, std::vector<TextDelta>& out);

  // True when every continuation has ended (by the engine or by a stop string).
  bool done() const { return open_ == 0; }

 private:
  struct Continuation;
  void add_token(const TokenDelta& delta, Continuation& continuation, TextDelta& out) const;
  // Puts decoded text into `out`, or holds it back; ends the continuation at a stop string.
  void add_text(std::string_view text, Continuation& continuation, TextDelta& out) const;
  // For ranking.
  void keep(TextDelta text, Continuation& continuation) const;
  void rank(std::vector<TextDelta>& out);
  void end(const TokenDelta& delta, Continuation& continuation, TextDelta& out) const;

  const Tokenizer& tokenizer_;
  const SamplingParams params_;
  const std::vector<TokenId> shown_;
  const StopStrings stop_strings_;
  std::vector<Continuation> continuations_;
  int32_t open_;
};

}  // namespace quire
