// What the loop thread shares with all others: the commands to it, the counts and claims that bound them,
// and the latest snapshot of its state. Everything else of the engine is the loop thread's own.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/snapshot.h"
#include "base/types.h"
#include "config/sampling_params.h"
#include "engine/block_claims.h"
#include "engine/llm_engine.h"
#include "engine/request_stream.h"

namespace quire {

struct AddRequest {
  RequestId id = 0;
  int64_t arrival_ns = 0;
  TenantId tenant = 0;
  int32_t priority = 0;
  std::string cache_salt = {};
  bool pins = false;
  std::vector<TokenId> prompt;
  std::shared_ptr<const SamplingParams> params;
  std::shared_ptr<RequestStream> stream;
};

// They come together, so that the step that sees one sees all.
using AddRequests = std::vector<AddRequest>;

struct AbortRequest {
  RequestId id = 0;
};

struct FinishContinuation {
  RequestId id = 0;
  int32_t index = 0;
};

struct UnpinPrefix {
  RequestId id = 0;
};

struct AbortAll {};

struct TakeView {
  std::shared_ptr<EngineView> view;
  std::function<void()> done;
};

using EngineCommand =
    std::variant<AddRequests, AbortRequest, FinishContinuation, UnpinPrefix, AbortAll, TakeView>;

class EngineMailbox {
 public:
  explicit EngineMailbox(int32_t max_queue, const BlockLimits& limits = {})
      : max_queue_(max_queue), commands_(static_cast<size_t>(max_queue)), claims_(limits) {}

  // Commands wake the loop. Those that may be refused were counted by enter() before.
  void send(EngineCommand command) { commands_.push_urgent(std::move(command)); }
  void take(std::vector<EngineCommand>& out) { commands_.drain(out); }
  void wait_take(std::vector<EngineCommand>& out) { commands_.wait_drain(out, std::chrono::hours(1)); }

  // Sends requests that entered, all or none, if there are blocks for them (block_claims.h). `created`, unix
  // seconds, is for those that pin.
  Expected<> submit(AddRequests requests, int64_t created);
  // Gives up a prefix; false if the tenant has none of that id. The blocks that it frees may be claimed at
  // once: who does so is in the queue behind it.
  bool unpin(RequestId id, TenantId tenant);
  // Calls `act` with the claims, as nobody changes them.
  template <class Act>
  auto with_claims(Act act) {
    std::lock_guard lock(claims_mutex_);
    return act(claims_);
  }

  // Counts new requests as alive and as waiting to run, all or none: false if more than max_queue would
  // then wait. Where nobody waits any number may enter: a batch that could never enter would be told to
  // retry.
  bool enter(int32_t count = 1) {
    int32_t waiting = num_waiting_.load(std::memory_order_relaxed);
    do {
      if (waiting > 0 && count > max_queue_ - waiting) return false;
    } while (!num_waiting_.compare_exchange_weak(waiting, waiting + count, std::memory_order_relaxed));
    std::lock_guard lock(mutex_);
    num_alive_ += count;
    return true;
  }
  // Loop: so many requests run for the first time, or ended before they could.
  void stop_waiting(int64_t count) {
    if (count > 0) num_waiting_.fetch_sub(static_cast<int32_t>(count), std::memory_order_relaxed);
  }
  // Requests have ended.
  void leave(int32_t count = 1) {
    std::lock_guard lock(mutex_);
    num_alive_ -= count;
    if (num_alive_ == 0) idle_.notify_all();
  }
  bool idle() const {
    std::lock_guard lock(mutex_);
    return num_alive_ == 0;
  }
  bool wait_until_idle(std::chrono::nanoseconds timeout) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, timeout, [this] { return num_alive_ == 0; });
  }

  void refuse_requests() { draining_.store(true); }
  bool draining() const { return draining_.load(); }

  // Ends the loop. Nothing is sent after this.
  void stop() {
    stopping_.store(true);
    commands_.close();
  }
  bool stopping() const { return stopping_.load(); }

  void publish(const EngineStats& stats) { stats_.store(stats); }  // loop
  EngineStats stats() const { return stats_.load(); }

 private:
  const int32_t max_queue_;
  BoundedQueue<EngineCommand> commands_;
  std::atomic<int32_t> num_waiting_{0};
  std::atomic<bool> draining_{false};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int64_t num_alive_ = 0;  // requests that entered and have not ended
  Snapshot<EngineStats> stats_;
  std::mutex claims_mutex_;
  BlockClaims claims_;
};

}  // namespace quire
