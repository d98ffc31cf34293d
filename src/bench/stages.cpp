#include "bench/stages.h"

namespace quire {

Expected<> Stages::run(const std::function<void(const StageProgress&)>& progress,
                       const Clock& clock) const {
  double total = 0, done = 0;
  for (const Stage& stage : stages_) total += stage.estimate;
  const int64_t start_ns = clock.now_ns();
  for (size_t i = 0; i < stages_.size(); ++i) {
    const double elapsed_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
    progress({.number = static_cast<int>(i + 1),
              .count = static_cast<int>(stages_.size()),
              .name = stages_[i].name,
              .seconds_left = done > 0 ? elapsed_s * (total - done) / done : -1});
    if (auto worked = stages_[i].work(); !worked) return worked;
    done += stages_[i].estimate;
  }
  return {};
}

}  // namespace quire
