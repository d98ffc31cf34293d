// A queue from one producer to one consumer that takes no lock while the consumer keeps up: a ring of fixed
// size. What does not fit spills into a list under a lock, so that a slow consumer holds nobody up; whoever
// owns the queue bounds how much that can be. First in, first out.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace quire {

template <class T>
class SpscQueue {
 public:
  // The ring has room for at least `capacity` values (>= 1).
  explicit SpscQueue(size_t capacity) : ring_(std::bit_ceil(capacity)) {}

  // Producer.
  void push(T&& value) {
    const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    const uint64_t taken = taken_.load(std::memory_order_acquire);
    // Back to the ring only when all that was spilled is taken, so that order holds.
    if (spilling_ && taken == pushed) {
      spilling_ = false;
      spilled_from_.store(kNever, std::memory_order_relaxed);
    }
    if (!spilling_ && pushed - taken == ring_.size()) {
      spilling_ = true;
      spilled_from_.store(pushed, std::memory_order_relaxed);
    }
    if (spilling_) {
      std::lock_guard lock(mutex_);
      spilled_.push_back(std::move(value));
    } else {
      ring_[pushed & (ring_.size() - 1)] = std::move(value);
    }
    // Sequentially consistent, as is empty(): a consumer that announces that it waits and then finds the
    // queue empty is seen by a producer that pushes and then looks for it.
    pushed_.store(pushed + 1);
  }

  // Consumer. Moves all values to the end of `out`.
  void drain(std::vector<T>& out) {
    const uint64_t pushed = pushed_.load(std::memory_order_acquire);
    uint64_t taken = taken_.load(std::memory_order_relaxed);
    if (taken >= pushed) return;
    const uint64_t spilled_from = spilled_from_.load(std::memory_order_relaxed);
    for (; taken < pushed && taken < spilled_from; ++taken) {
      out.push_back(std::move(ring_[taken & (ring_.size() - 1)]));
    }
    if (taken < pushed) {
      std::lock_guard lock(mutex_);
      taken += spilled_.size();  // with what came after `pushed` was read
      for (T& value : spilled_) out.push_back(std::move(value));
      spilled_.clear();
    }
    taken_.store(taken, std::memory_order_release);
  }

  // Consumer. It may have taken a spilled value that is not counted as pushed yet.
  bool empty() const { return pushed_.load() <= taken_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  std::vector<T> ring_;                          // a power of two
  std::atomic<uint64_t> spilled_from_{kNever};   // number of the first value that is in spilled_
  bool spilling_ = false;                        // the producer's own
  alignas(64) std::atomic<uint64_t> pushed_{0};  // values ever pushed
  alignas(64) std::atomic<uint64_t> taken_{0};   // values ever taken
  std::mutex mutex_;
  std::vector<T> spilled_;
};

}  // namespace quire
