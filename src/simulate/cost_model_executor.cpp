#include "simulate/cost_model_executor.h"

#include <cmath>

#include "base/check.h"

namespace quire {
namespace {

// Of no meaning; requests that may end by their length alone are what this executor is for.
constexpr TokenId kToken = 0;

}  // namespace

Expected<const StepOutput*> CostModelExecutor::collect() {
  CHECK(!submitted_.empty(), "no step is under way");
  const StepInput& input = *submitted_.front();
  submitted_.pop_front();
  clock_.advance_ns(std::llround(model_.seconds(work_of(input)) * 1e9));
  output_.clear();
  output_.step_id = input.step_id;
  for (const SampleWork& sample : input.samples) {
    output_.samples.push_back({.slot = sample.slot, .token = kToken});
  }
  return &output_;
}

}  // namespace quire
