// How one request's tokens are chosen and when it ends. Field names, ranges and defaults follow vLLM's
// OpenAI server.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/field_table.h"
#include "config/pooling.h"

namespace quire {

class CompiledGrammar;  // grammar/compiled_grammar.h

struct LogitBias {
  TokenId token = 0;
  float bias = 0;  // added to the logit, -100 to 100
};

inline constexpr int32_t kMaxLogprobs = 20;
inline constexpr int32_t kMaxBeams = 64;
inline constexpr size_t kMaxStopStrings = 16;
inline constexpr size_t kMaxStopBytes = 1024;  // of each
inline constexpr size_t kMaxStopTokenIds = 1024;
inline constexpr size_t kMaxLogitBiases = 1024;

// When a beam search may end; beam_search.h says what each means.
enum class EarlyStopping : uint8_t { kFalse, kTrue, kNever };

struct SamplingParams {
  int32_t n = 1;
  int32_t max_tokens = 16;
  int32_t min_tokens = 0;
  double temperature = 1.0;  // 0: greedy
  double top_p = 1.0;
  int32_t top_k = 0;  // 0 or -1: off
  double min_p = 0.0;
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  // Sequences to run, of which the n best are returned, best first: drawn ones are compared by their mean
  // log-probability, beams by the score of beam_search.h. None: n.
  std::optional<int32_t> best_of = {};
  bool use_beam_search = false;
  double length_penalty = 1.0;  // of beams, and the next one too
  EarlyStopping early_stopping = EarlyStopping::kFalse;
  std::optional<int64_t> seed = {};             // none: the engine draws one
  std::optional<int32_t> logprobs = {};         // alternatives beside the chosen token
  std::optional<int32_t> prompt_logprobs = {};  // the same for the prompt's tokens
  bool ignore_eos = false;
  bool skip_special_tokens = true;
  bool include_stop_str_in_output = false;

  std::vector<LogitBias> logit_bias = {};
  std::vector<std::string> stop = {};
  std::vector<TokenId> stop_token_ids = {};

  // Filled by the front from the model's end-of-sequence tokens; ends the sequence unless ignore_eos.
  std::vector<TokenId> eos_token_ids = {};
  // What the output must look like; null: anything. It says where an end-of-sequence token may come, and one
  // that comes ends the sequence, also before min_tokens if nothing else could.
  std::shared_ptr<const CompiledGrammar> grammar = {};

  // Set by the front where the prompt's embedding is wanted and not a token: then max_tokens and the number
  // of sequences are 1, and no more than the prompt is computed.
  Pooling pooling = Pooling::kNone;

  // Whether hidden states from the prompt's first token on are needed, so that none may come from a cache.
  bool pools_from_start() const { return pooling == Pooling::kMean || pooling == Pooling::kCls; }
  bool greedy() const { return temperature == 0.0; }
  // Sequences that the engine runs; of a beam search its width.
  int32_t num_sequences() const { return best_of.value_or(n); }
  // Continuations that the request's stream brings. Drawn ones are ranked by whoever reads their text (see
  // OutputProcessor), since that is where stop strings end them; beams are ranked by the search.
  int32_t num_continuations() const { return use_beam_search ? n : num_sequences(); }
  // Whether the n best of more drawn continuations are wanted.
  bool ranks_draws() const { return !use_beam_search && num_sequences() > n; }
};

// The scalar fields.
std::span<const Field<SamplingParams>> sampling_fields();

// Checks all ranges, the lists included, against the vocabulary. Errors name the field.
Expected<> validate(const SamplingParams& params, int32_t vocab_size);

}  // namespace quire
