#include "scheduler/step_budget.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace quire {
namespace {

constexpr int64_t kStepMillisecond = 1'000'000;

TEST(StepBudget, WithoutATargetPrefillsGetTheRest) {
  StepBudget budget(512, 0);
  budget.learn(4, 100, 900 * kStepMillisecond);
  EXPECT_EQ(budget.prefill_tokens(0), 512);
  EXPECT_EQ(budget.prefill_tokens(12), 500);
  EXPECT_EQ(budget.prefill_tokens(600), 0);
}

TEST(StepBudget, WhereNobodyIsAnsweredPrefillsGetAll) {
  StepBudget budget(512, kStepMillisecond);
  budget.learn(4, 100, 900 * kStepMillisecond);
  EXPECT_EQ(budget.prefill_tokens(0), 512);
}

TEST(StepBudget, BeforeItKnowsItIsCareful) {
  const StepBudget budget(512, 50 * kStepMillisecond);
  EXPECT_EQ(budget.prefill_tokens(1), 64);
  EXPECT_EQ(budget.prefill_tokens(500), 12);
}

TEST(StepBudget, EvenWhereDecodesTakeTheTargetPromptsGoOn) {
  StepBudget budget(512, 5 * kStepMillisecond);
  budget.learn(8, 0, 20 * kStepMillisecond);
  budget.learn(8, 64, 84 * kStepMillisecond);
  EXPECT_EQ(budget.prefill_tokens(8), kLeastPrefillTokens);
}

// A machine that takes 4 ms, 0.5 ms a decode and 1 ms a token of a prefill: after a few steps no step is
// longer than the target, and none much shorter than it could be.
TEST(StepBudget, FindsTheTarget) {
  const auto step_ns = [](int32_t decodes, int32_t prefill) {
    return (4 * kStepMillisecond) + decodes * kStepMillisecond / 2 + prefill * kStepMillisecond;
  };
  for (const int64_t target_ms : {30, 50, 100, 300}) {
    StepBudget budget(512, target_ms * kStepMillisecond);
    for (int step = 0; step < 200; ++step) {
      const int32_t decodes = 1 + step % 24;
      const int32_t prefill = step % 3 == 0 ? 0 : budget.prefill_tokens(decodes);
      const int64_t took_ns = step_ns(decodes, prefill);
      budget.learn(decodes, prefill, took_ns);
      if (step < 100 || prefill <= kLeastPrefillTokens) continue;
      EXPECT_LE(took_ns, target_ms * kStepMillisecond)
          << "target " << target_ms << ", " << decodes << " decodes";
      EXPECT_GE(took_ns, target_ms * kStepMillisecond / 2);
    }
  }
}

// The same tokens take longer, as contexts grow or a neighbour takes the core: the budget follows at once.
TEST(StepBudget, FollowsASlowerMachine) {
  StepBudget budget(512, 100 * kStepMillisecond);
  for (int i = 0; i < 50; ++i) budget.learn(2, 40, (5 + 40) * kStepMillisecond);
  const int32_t before = budget.prefill_tokens(2);
  for (int i = 0; i < 4; ++i) budget.learn(2, 40, (5 + 120) * kStepMillisecond);
  EXPECT_LT(budget.prefill_tokens(2), before / 2);
}

}  // namespace
}  // namespace quire
