#include "simulate/cost_fit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace quire {
namespace {

const CostModel kTruth{.name = "truth",
                       .source = "",
                       .points = {{1, 5e-3}, {8, 6e-3}, {64, 70e-3}, {500, 400e-3}},
                       .sample_s = 20e-6,
                       .context_s = 0.5e-6,
                       .pair_s = 3e-9,
                       .copy_s = 0};

// Decodes of any number and context, and chunks of prefills among them; times off by up to `noise`.
std::vector<TimedStep> draw_steps(uint64_t seed, int count, double noise) {
  Rng rng(seed);
  std::vector<TimedStep> steps;
  for (int i = 0; i < count; ++i) {
    StepWork work;
    work.samples = static_cast<int64_t>(rng.below(64));
    const int64_t chunk = rng.below(3) == 0 ? static_cast<int64_t>(1 + rng.below(436)) : 0;
    work.tokens = std::max<int64_t>(1, work.samples + chunk);
    work.context = work.samples * static_cast<int64_t>(1 + rng.below(1000));
    work.pairs = chunk * static_cast<int64_t>(rng.below(1000));
    steps.push_back({work, kTruth.seconds(work) * (1 + noise * (2 * rng.uniform() - 1))});
  }
  return steps;
}

TEST(CostFit, FindsTheModelThatMadeTheTimes) {
  // The true line bends at powers of two, and at the most tokens that a step has.
  auto steps = draw_steps(1, 2000, 0);
  StepWork most;
  most.tokens = 500;
  steps.push_back({most, kTruth.seconds(most)});
  const auto fit = fit_cost_model("fit", "", steps);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_LT(fit->p90_error, 1e-6);
  EXPECT_NEAR(fit->model.sample_s, kTruth.sample_s, 1e-10);
  EXPECT_NEAR(fit->model.context_s, kTruth.context_s, 1e-12);
  EXPECT_NEAR(fit->model.pair_s, kTruth.pair_s, 1e-14);
  EXPECT_EQ(fit->model.copy_s, 0) << "no step copied anything";
}

TEST(CostFit, NoiseIsTheErrorThatItTells) {
  const auto fit = fit_cost_model("fit", "", draw_steps(2, 3000, 0.2));
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_NEAR(fit->median_error, 0.1, 0.02);
  EXPECT_LT(fit->total_error, 0.05);
  EXPECT_LT(judge_cost_model(fit->model, draw_steps(3, 1000, 0)).p90_error, 0.05)
      << "the noise is not learned";
}

TEST(CostFit, NothingCostsLessThanNothing) {
  auto steps = draw_steps(4, 500, 0);
  for (TimedStep& step : steps) {  // as if contexts saved time
    step.seconds = 1 - 1e-6 * static_cast<double>(step.work.context);
  }
  const auto fit = fit_cost_model("fit", "", steps);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_EQ(fit->model.context_s, 0);
  for (const auto& [tokens, seconds] : fit->model.points) EXPECT_GE(seconds, 0);
}

TEST(CostFit, TooFewStepsAreAnError) {
  const auto fit = fit_cost_model("fit", "", draw_steps(5, 3, 0));
  ASSERT_FALSE(fit);
  EXPECT_EQ(fit.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace quire
