// An executor around another one that times every step: what a cost model is fitted to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "simulate/cost_fit.h"
#include "step/executor.h"

namespace quire {

class StepRecorder final : public Executor {
 public:
  // `clock` and `steps`, to which every step is added, outlive the recorder.
  StepRecorder(std::unique_ptr<Executor> inner, const Clock& clock, std::vector<TimedStep>& steps)
      : inner_(std::move(inner)), clock_(clock), steps_(steps) {}

  // One at a time, so that no step waits for another's end.
  int max_submitted() const override { return 1; }

  void submit(const StepInput& input) override {
    work_ = work_of(input);
    start_ns_ = clock_.now_ns();
    inner_->submit(input);
  }

  Expected<const StepOutput*> collect() override {
    auto output = inner_->collect();
    steps_.push_back({work_, static_cast<double>(clock_.now_ns() - start_ns_) * 1e-9});
    return output;
  }

 private:
  const std::unique_ptr<Executor> inner_;
  const Clock& clock_;
  std::vector<TimedStep>& steps_;
  StepWork work_;
  int64_t start_ns_ = 0;
};

}  // namespace quire
