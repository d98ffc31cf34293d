// A limit of so much a minute: a bucket that holds a minute's worth and fills steadily. What is taken may be
// more than is there, and is owed then. One thread at a time; the time is given, and never goes back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace quire {

class TokenBucket {
 public:
  // 0: no limit. What is in it stays, as far as there is room; without a limit so far it is full.
  void set_rate(int64_t per_minute, int64_t now_ns) {
    if (per_minute == per_minute_) return;
    const bool was_limited = limited();
    fill(now_ns);
    per_minute_ = per_minute;
    const auto most = static_cast<double>(per_minute);
    level_ = was_limited ? std::min(level_, most) : most;
  }
  bool limited() const { return per_minute_ > 0; }
  int64_t per_minute() const { return per_minute_; }

  void fill(int64_t now_ns) {
    const double filled = static_cast<double>(now_ns - updated_ns_) * rate_per_ns();
    level_ = std::min(level_ + filled, static_cast<double>(per_minute_));
    updated_ns_ = now_ns;
  }
  void take(double amount) { level_ -= amount; }

  bool has_one() const { return level_ >= 1 - 1e-9; }  // but for what arithmetic has lost
  int64_t whole() const { return std::max<int64_t>(0, static_cast<int64_t>(std::floor(level_ + 1e-9))); }
  // Requires a limit.
  double seconds_until(double level) const { return std::max(0.0, level - level_) / rate_per_ns() * 1e-9; }
  double seconds_until_full() const { return seconds_until(static_cast<double>(per_minute_)); }

 private:
  static constexpr double kNsPerMinute = 60e9;
  double rate_per_ns() const { return static_cast<double>(per_minute_) / kNsPerMinute; }

  int64_t per_minute_ = 0;
  double level_ = 0;
  int64_t updated_ns_ = 0;
};

}  // namespace quire
