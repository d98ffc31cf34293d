// An executor that computes nothing: a step takes the time that a CostModel gives it, every sample is the
// same token, and a beam's candidates are those of BeamCandidates. What the scheduler does with real lengths
// at a real machine's pace can so be seen in a small part of the time, and on a machine that is not there.
#pragma once

#include <deque>
#include <vector>

#include "base/clock.h"
#include "simulate/beam_candidates.h"
#include "simulate/cost_model.h"
#include "step/executor.h"

namespace quire {

class CostModelExecutor final : public Executor {
 public:
  // Of no meaning; requests that may end by their length alone are what this executor is for.
  static constexpr TokenId kToken = 0;

  // Both outlive the executor; a step advances the clock when it is collected.
  CostModelExecutor(const CostModel& model, ManualClock& clock) : model_(model), clock_(clock) {}

  int max_submitted() const override { return 2; }
  void submit(const StepInput& input) override { submitted_.push_back(&input); }
  Expected<const StepOutput*> collect() override;

 private:
  // Which rows search, and how wide.
  void follow(const StepInput& input);
  void sample(SlotId slot);

  const CostModel& model_;
  ManualClock& clock_;
  std::deque<const StepInput*> submitted_;
  StepOutput output_;
  std::vector<int32_t> widths_;  // by slot: beams of the row's search; 0: it is none
  BeamCandidates candidates_;
};

}  // namespace quire
