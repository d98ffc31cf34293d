#include "simulate/cost_model_executor.h"

#include <cmath>

#include "base/check.h"

namespace quire {

Expected<const StepOutput*> CostModelExecutor::collect() {
  CHECK(!submitted_.empty(), "no step is under way");
  const StepInput& input = *submitted_.front();
  submitted_.pop_front();
  clock_.advance_ns(std::llround(model_.seconds(work_of(input)) * 1e9));
  output_.clear();
  output_.step_id = input.step_id;
  follow(input);
  for (const SampleWork& sample : input.samples) this->sample(sample.slot);
  return &output_;
}

void CostModelExecutor::follow(const StepInput& input) {
  const auto width_of = [this](SlotId slot) -> int32_t& {
    const auto index = static_cast<size_t>(slot);
    if (index >= widths_.size()) widths_.resize(index + 1, 0);
    return widths_[index];
  };
  const auto copy = [&](const RowFork& fork) {
    const int32_t width = width_of(fork.parent);
    width_of(fork.child) = width;
  };
  for (const RowFork& branch : input.branches) copy(branch);
  for (const RowStart& start : input.starts) {
    const bool searches = start.sampling != nullptr && start.sampling->use_beam_search;
    width_of(start.slot) = searches ? start.sampling->num_sequences() : 0;
  }
  for (const RowFork& fork : input.forks) copy(fork);
  for (const SampleWork& sample : input.samples) width_of(sample.slot);
}

// Nothing ends a request but its length, so a search needs no more candidates than it has beams.
void CostModelExecutor::sample(SlotId slot) {
  const int32_t width = widths_[static_cast<size_t>(slot)];
  if (width == 0) {
    output_.samples.push_back({.slot = slot, .token = kToken});
    return;
  }
  const auto candidates = candidates_.next(width);
  output_.samples.push_back({.slot = slot, .token = -1, .num_top = width});
  output_.top.insert(output_.top.end(), candidates.begin(), candidates.end());
}

}  // namespace quire
