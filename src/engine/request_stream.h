// The way back from the engine to whoever waits for a request. The loop thread pushes TokenDeltas; one
// consumer takes them, either by waiting or when told by a callback. Bounded by the request's own
// max_tokens. A push takes a lock only to wake a consumer that sleeps, or where the consumer has fallen far
// behind.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/spsc_queue.h"
#include "base/types.h"
#include "request/finish_reason.h"
#include "step/step_output.h"

namespace quire {

std::string_view to_string(
    FinishReason reason);  // "stop", "length", "abort", "error", "timeout"; empty for kNone

struct TokenDelta {
  int32_t index = 0;   // which of the request's n continuations
  TokenId token = -1;  // -1: this delta brings no token (an end, or prompt log-probabilities)
  float logprob = 0;
  int64_t time_ns = 0;            // of the engine's clock: when the step that brought the token ended
  std::vector<TokenLogprob> top;  // alternatives, most likely first; empty unless asked for
  FinishReason finish_reason = FinishReason::kNone;
  int32_t num_cached_tokens = 0;      // with the request's first token: of its prompt, found in the cache
  int64_t first_scheduled_ns = 0;     // with it too: when the first step with the request began
  std::optional<TokenId> stop_token;  // the stop token that ended it, if one from stop_token_ids or EOS did
  // For a request with prompt_logprobs: in the deltas before the first token, in order of position, in
  // pieces.
  struct PromptToken {
    int32_t position = 0;
    TokenId token = 0;
    float logprob = 0;
    std::vector<TokenLogprob> top;
  };
  std::vector<PromptToken> prompt;
  std::vector<float> embedding = {};  // of a request that pools, with its end; there is no first token
};

class RequestStream {
 public:
  RequestStream(RequestId id, int32_t num_continuations)
      : id_(id), open_(num_continuations), not_ended_(num_continuations) {}

  RequestId id() const { return id_; }

  // Consumer. Appends all waiting deltas to `out`; false when the stream has ended and everything was
  // taken: the last deltas come with the first false.
  bool poll(std::vector<TokenDelta>& out);
  // The same, but waits for at least one delta or the end, up to `timeout`.
  bool wait(std::vector<TokenDelta>& out, std::chrono::nanoseconds timeout = std::chrono::hours(24));
  // Called (on the loop thread; must not block; may poll where no other thread does) whenever deltas arrive
  // after the consumer emptied the stream. Set once, before or after the first delta; if deltas wait
  // already, it is called at once, on the caller's thread.
  void set_notify(std::function<void()> notify);

  // Any thread. Tokens that were generated for the request so far: of draws and beams that lose, too.
  int64_t num_generated() const { return num_generated_.load(std::memory_order_relaxed); }

  // Loop thread.
  void count_generated(int64_t tokens) {
    num_generated_.store(num_generated() + tokens, std::memory_order_relaxed);
  }

  // Loop thread. A delta with a finish_reason ends its continuation; the last one ends the stream.
  void push(TokenDelta delta);

 private:
  bool take(std::vector<TokenDelta>& out);

  static constexpr size_t kRing = 32;  // deltas that a consumer may lag behind without a lock

  const RequestId id_;
  SpscQueue<TokenDelta> deltas_{kRing};
  // The consumer found nothing and wants to be woken or called; who turns it off does it.
  std::atomic<bool> wanted_{false};
  std::atomic<int64_t> num_generated_{0};
  std::function<void()> notify_;  // read only by who turned wanted_ off
  std::mutex mutex_;              // of ready_
  std::condition_variable ready_;
  int32_t open_;       // loop: continuations whose end was not pushed
  int32_t not_ended_;  // consumer: those whose end was not taken
};

}  // namespace quire
