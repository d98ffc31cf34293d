// A bounded queue from many producers to one consumer. Producers never block: a full queue is the caller's
// answer to give (HTTP 429). Any thread may push; one thread drains.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace quire {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False when the queue is full or closed; the value is then left as it was.
  bool try_push(T&& value) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      put(std::move(value));
    }
    ready_.notify_one();
    return true;
  }

  // Past the bound as well: for the few values that must arrive, such as an abort of a request that was
  // admitted.
  void push_urgent(T&& value) {
    {
      std::lock_guard lock(mutex_);
      put(std::move(value));
    }
    ready_.notify_one();
  }

  // Moves all waiting items to the end of `out`; does not wait. Nothing there: one load, no lock.
  void drain(std::vector<T>& out) {
    if (!has_items_.load(std::memory_order_acquire)) return;
    std::lock_guard lock(mutex_);
    take(out);
  }

  // The same, but waits up to `timeout` for the first item, or until the queue is closed.
  void wait_drain(std::vector<T>& out, std::chrono::nanoseconds timeout) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, timeout, [this] { return !items_.empty() || closed_; });
    take(out);
  }

  // After this, try_push answers false; what is queued can still be drained.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  void put(T&& value) {
    items_.push_back(std::move(value));
    has_items_.store(true, std::memory_order_release);
  }
  void take(std::vector<T>& out) {
    for (auto& item : items_) out.push_back(std::move(item));
    items_.clear();
    has_items_.store(false, std::memory_order_relaxed);
  }

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  std::atomic<bool> has_items_{false};  // changes under the lock
  bool closed_ = false;
};

}  // namespace quire
