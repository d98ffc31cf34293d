// A client drawn from a seed: what it asks, when it comes, whether and when it leaves or finishes a
// continuation; and what it has received, which is checked as it arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "config/sampling_params.h"
#include "engine/llm_engine.h"
#include "engine/request_stream.h"

namespace quire {

struct ClientPlan {
  int64_t arrival_ns = 0;
  std::vector<TokenId> prompt;
  SamplingParams params;
  TenantId tenant = 0;
  int32_t priority = 0;
  std::string cache_salt;
  std::optional<int64_t> leaves_after_steps;   // of the engine, counted from its arrival
  std::optional<int32_t> leaves_after_tokens;  // of all continuations together
  struct Finish {
    int32_t index = 0;
    int32_t after_tokens = 0;  // 0: at once
  };
  std::vector<Finish> finishes;
};

// What plans are drawn from. A few ask for more than the engine can hold, and must be refused.
struct ClientLimits {
  int32_t max_model_len = 0;
  int32_t max_num_seqs = 0;
  int32_t num_blocks = 0;
  int32_t block_size = 1;
  int32_t vocab_size = 0;
  int64_t arrival_window_ns = 1;
  bool have_priorities = false;
  int32_t num_tenants = 3;
};

ClientPlan draw_client(Rng& rng, const ClientLimits& limits);

// Two of three begin as one of two prefixes does, some to the end.
std::vector<TokenId> draw_prompt(Rng& rng, const ClientLimits& limits, int32_t num_tokens);

// What one request brought.
struct Transcript {
  struct Continuation {
    std::vector<TokenId> tokens;
    std::vector<float> logprobs;
    std::vector<size_t> num_top;
    FinishReason finish_reason = FinishReason::kNone;
    std::optional<TokenId> stop_token;
  };
  std::vector<Continuation> continuations;
  std::vector<float> prompt_logprobs;  // of the positions 1, 2, ...
  int64_t num_cached_tokens = 0;       // of the prompt; known with the first token

  explicit Transcript(int32_t n) : continuations(static_cast<size_t>(n)) {}

  bool ended() const;
  int64_t num_tokens() const;
  // An error if the delta breaks the stream's rules: a token after the end, a second end, an unknown
  // continuation, prompt positions out of order or after the first token.
  Expected<> add(const TokenDelta& delta);
};

class SimulatedClient {
 public:
  explicit SimulatedClient(ClientPlan plan)
      : plan_(std::move(plan)), transcript_(plan_.params.num_continuations()) {}

  const ClientPlan& plan() const { return plan_; }
  const Transcript& transcript() const { return transcript_; }
  bool refused() const { return arrived_ && stream_ == nullptr; }
  bool ended() const { return refused() || transcript_.ended(); }

  // Submits; the refusal, if it was refused.
  std::optional<Error> arrive(LLMEngine& engine);
  // After a step: takes what came, then leaves or finishes as planned.
  Expected<> take_turn(LLMEngine& engine);

 private:
  ClientPlan plan_;
  Transcript transcript_;
  std::shared_ptr<RequestStream> stream_;
  std::vector<TokenDelta> deltas_;
  int64_t num_steps_ = 0;
  bool arrived_ = false;
  bool left_ = false;
};

}  // namespace quire
