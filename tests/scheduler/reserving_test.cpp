// The scheduler under the policies that reserve: a group enters only with a range for each of its
// sequences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/scheduler.h"
#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using enum AllocationPolicy;

SchedulerOptions options_with(AllocationPolicy policy) {
  return {.max_num_seqs = 8, .max_num_batched_tokens = 64, .max_model_len = 16, .allocation = policy};
}

class ReservingTest : public SchedulerTest {};

TEST_F(ReservingTest, MaxRunsAsManyAsThereAreContexts) {
  build(options_with(kReserveMax), 8, 4);  // two contexts
  for (int i = 0; i < 3; ++i) add({.prompt = 2, .max_tokens = 3});
  ASSERT_TRUE(step());
  EXPECT_THAT(scheduler_->running(), SizeIs(2));
  EXPECT_EQ(scheduler_->reserved_slots().needed, 10);
  EXPECT_EQ(scheduler_->reserved_slots().taken, 32);
  ASSERT_TRUE(step());
  ASSERT_TRUE(step());  // both end
  ASSERT_TRUE(step());
  EXPECT_THAT(scheduler_->running(), SizeIs(1));
  while (step()) continue;
  EXPECT_EQ(scheduler_->reserved_slots().taken, 0);
  EXPECT_EQ(scheduler_->num_preemptions(), 0);
}

TEST_F(ReservingTest, OracleRunsMore) {
  build(options_with(kReserveOracle), 8, 4);
  for (int i = 0; i < 5; ++i) add({.prompt = 2, .max_tokens = 3});  // ranges of 2 blocks
  ASSERT_TRUE(step());
  EXPECT_THAT(scheduler_->running(), SizeIs(4));
}

TEST_F(ReservingTest, AGroupEntersWholeOrNotAtAll) {
  build(options_with(kReserveMax), 12, 4);  // three contexts
  add({.prompt = 2, .max_tokens = 4, .n = 2});
  add({.prompt = 2, .max_tokens = 4, .n = 2});
  ASSERT_TRUE(step());
  EXPECT_THAT(scheduler_->running(), SizeIs(1));
  EXPECT_EQ(scheduler_->reserved_slots().taken, 32) << "what the second one got is given back";
  while (step()) continue;
  EXPECT_EQ(scheduler_->reserved_slots().taken, 0);
}

TEST_F(ReservingTest, AnEndedSequenceGivesItsRangeBack) {
  build(options_with(kReserveMax), 8, 4);
  const RequestId id = add({.prompt = 2, .max_tokens = 4, .n = 2});
  ASSERT_TRUE(step());
  scheduler_->end(group(id), group(id).sequences()[0], FinishReason::kStop);
  EXPECT_EQ(scheduler_->reserved_slots().taken, 16);
}

TEST_F(ReservingTest, WhatNeverFitsIsRefusedWithTheArithmetic) {
  EXPECT_TRUE(Scheduler::check_fits(options_with(kReserveMax), 8, 4, 2, 4, 2));
  const auto refused = Scheduler::check_fits(options_with(kReserveMax), 8, 4, 2, 4, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "n");
  EXPECT_THAT(refused.error().message,
              HasSubstr("n is 3, but reserve-max finds room for 2 such sequences in 8 blocks of 4 tokens"));
}

}  // namespace
}  // namespace quire
