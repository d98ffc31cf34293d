// Fits a CostModel to steps that were timed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "simulate/cost_model.h"

namespace quire {

struct TimedStep {
  StepWork work;
  double seconds = 0;
};

struct CostFit {
  CostModel model;
  // Of the model's time against the measured one, as a share of the measured.
  double median_error = 0;
  double p90_error = 0;
  // The same for all steps together: what the model adds up to.
  double total_error = 0;
};

// Least squares of the relative error, with points at powers of two of tokens that the steps have. Work
// that no step has costs nothing, nor does work whose fitted cost would be negative. kInvalidArgument if
// there are fewer steps than unknowns.
Expected<CostFit> fit_cost_model(std::string name, std::string source, std::span<const TimedStep> steps);

// How well a model tells the times of steps, perhaps others than it was fitted to.
CostFit judge_cost_model(CostModel model, std::span<const TimedStep> steps);

}  // namespace quire
