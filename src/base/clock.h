// Time as a dependency, so that tests and simulations own it.
#pragma once

#include <cstdint>

namespace quire {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_ns() const = 0;        // monotonic
  virtual int64_t unix_seconds() const = 0;  // wall clock, for timestamps that clients see
};

// The machine's clocks. Stateless; safe from any thread.
class SystemClock final : public Clock {
 public:
  int64_t now_ns() const override;
  int64_t unix_seconds() const override;
};

// Stands still until told otherwise. One thread.
class ManualClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_; }
  int64_t unix_seconds() const override { return now_ns_ / 1'000'000'000; }
  void advance_ns(int64_t delta_ns) { now_ns_ += delta_ns; }

 private:
  int64_t now_ns_ = 0;
};

}  // namespace quire
