#include "engine/step_log.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

std::vector<LoggedStep> steps_of(const StepLog& log) {
  std::vector<LoggedStep> steps;
  log.copy(steps);
  return steps;
}

TEST(StepLog, RecordsOnlyAfterALook) {
  StepLog log;
  const std::vector<RowWork> work(3, RowWork{.num_tokens = 1});
  log.begin(100);
  log.end(1, work, 150);
  EXPECT_TRUE(steps_of(log).empty());
  log.look(200);
  log.end(2, work, 250);
  ASSERT_EQ(steps_of(log).size(), 1U);
  EXPECT_EQ(steps_of(log)[0].number, 2);
  log.end(3, work, 200 + StepLog::kPatienceNs);
  EXPECT_EQ(steps_of(log).size(), 1U) << "nobody has looked for a while";
}

TEST(StepLog, AStepLastsFromTheEndOfTheOneBefore) {
  StepLog log;
  log.look(0);
  log.begin(100);
  log.end(1, {}, 150);
  log.end(2, {}, 180);  // was submitted while the first one ran
  log.begin(500);       // nothing ran for a while
  log.end(3, {}, 520);
  const auto steps = steps_of(log);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].end_ns - steps[0].start_ns, 50);
  EXPECT_EQ(steps[1].end_ns - steps[1].start_ns, 30);
  EXPECT_EQ(steps[2].start_ns, 500);
}

TEST(StepLog, TellsDecodesFromPrompts) {
  StepLog log;
  log.look(0);
  const std::vector<RowWork> work{
      {.num_tokens = 1}, {.num_tokens = 1}, {.num_tokens = 60}, {.num_tokens = 7}};
  log.end(1, work, 10);
  EXPECT_EQ(steps_of(log)[0].num_decodes, 2);
  EXPECT_EQ(steps_of(log)[0].num_prefill_tokens, 67);
}

TEST(StepLog, KeepsTheLastSteps) {
  StepLog log;
  log.look(0);
  const auto count = static_cast<int64_t>(StepLog::kMaxSteps) + 10;
  for (int64_t number = 1; number <= count; ++number) log.end(number, {}, number);
  const auto steps = steps_of(log);
  ASSERT_EQ(steps.size(), StepLog::kMaxSteps);
  EXPECT_EQ(steps.front().number, 11);
  EXPECT_EQ(steps.back().number, count);
}

}  // namespace
}  // namespace quire
