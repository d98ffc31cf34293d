// Those who pin prefixes, drawn from a seed: what they pin, when they come, whether they leave before it is
// computed, and after how long they give it up. Counts by itself what is pinned, as the set of all blocks'
// histories, and holds the engine's answers against that.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "engine/llm_engine.h"
#include "engine/request_stream.h"
#include "simulate/simulated_client.h"

namespace quire {

class SimulatedPins {
 public:
  // Some, if there is a prefix cache; or, rarely, if there is none.
  SimulatedPins(Rng& rng, const ClientLimits& limits, const LLMEngineOptions& options);

  // Lets those come whose time it is. `largest_peak`: the most blocks that a client who was let in may need.
  Expected<> let_arrive(LLMEngine& engine, int64_t now_ns, int64_t largest_peak);

  // After a step: takes what came; then some give up what they pinned.
  Expected<> take_turn(LLMEngine& engine);

  bool ended() const;
  int64_t next_arrival_ns() const;  // the largest there is, if nobody comes any more

  // Blocks that are pinned, or will be, each once.
  int64_t num_blocks() const { return count_blocks(false); }
  // Leading blocks of the client's prompt that a pin keeps in the cache, of those it can use; of pins that
  // have been there since that turn.
  int64_t num_found(const ClientPlan& plan, int64_t since_turn) const;
  int64_t num_turns() const { return num_turns_; }
  int64_t num_pinned() const { return num_pinned_; }  // over all time

 private:
  enum class State { kToCome, kComputing, kPinned, kGone };
  struct Pin {
    int64_t arrival_ns = 0;
    std::vector<TokenId> prompt;
    TenantId tenant = 0;
    std::string cache_salt;
    int64_t leaves_after_steps = 0;  // if it is not computed by then
    int64_t keeps_for_steps = 0;
    State state = State::kToCome;
    std::shared_ptr<RequestStream> stream;
    int64_t num_steps = 0;    // in its state
    int64_t pinned_turn = 0;  // when it was
  };

  Expected<> arrive(Pin& pin, LLMEngine& engine, int64_t largest_peak);
  Expected<> judge(const Pin& pin, const Error* refusal, int64_t largest_peak) const;
  Expected<> poll(Pin& pin, LLMEngine& engine);
  // Of those that are pinned, or of those to come too.
  int64_t count_blocks(bool pinned_only, const Pin* another = nullptr) const;

  const LLMEngineOptions options_;
  std::vector<Pin> pins_;
  std::vector<TokenDelta> deltas_;
  int64_t num_turns_ = 0, num_pinned_ = 0;
};

}  // namespace quire
