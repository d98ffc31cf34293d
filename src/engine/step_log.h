// The engine's last steps, for whoever looks at it: when each ran and what it computed. Recorded only while
// somebody looks; otherwise a step costs two comparisons. Loop thread only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "step/step_input.h"

namespace quire {

struct LoggedStep {
  int64_t number = 0;    // of the engine's steps, from 1 on
  int64_t start_ns = 0;  // when it was submitted or, if that was later, when the step before it ended
  int64_t end_ns = 0;
  int32_t num_decodes = 0;  // rows of one token
  int32_t num_prefill_tokens = 0;
};

class StepLog {
 public:
  static constexpr size_t kMaxSteps = 128;
  // How long after a look steps are still recorded.
  static constexpr int64_t kPatienceNs = 2'000'000'000;

  void look(int64_t now_ns) { until_ns_ = now_ns + kPatienceNs; }

  // A step starts while none is under way.
  void begin(int64_t now_ns) { start_ns_ = now_ns; }

  // The oldest step under way has ended; the one behind it, if there is one, goes on from here.
  void end(int64_t number, std::span<const RowWork> work, int64_t now_ns) {
    const int64_t start_ns = start_ns_;
    start_ns_ = now_ns;
    if (now_ns >= until_ns_) return;
    LoggedStep step{.number = number, .start_ns = start_ns, .end_ns = now_ns};
    for (const RowWork& row : work) {
      if (row.num_tokens == 1) {
        ++step.num_decodes;
      } else {
        step.num_prefill_tokens += row.num_tokens;
      }
    }
    steps_[num_recorded_++ % kMaxSteps] = step;
  }

  // Those recorded last, oldest first, at most kMaxSteps.
  void copy(std::vector<LoggedStep>& out) const {
    out.clear();
    const size_t count = std::min(num_recorded_, kMaxSteps);
    for (size_t i = num_recorded_ - count; i < num_recorded_; ++i) out.push_back(steps_[i % kMaxSteps]);
  }

 private:
  std::array<LoggedStep, kMaxSteps> steps_{};
  size_t num_recorded_ = 0;
  int64_t start_ns_ = 0;
  int64_t until_ns_ = -1;
};

}  // namespace quire
