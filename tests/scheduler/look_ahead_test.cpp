// The next step is scheduled while one is under way.
#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Plans the step after the one in input_ while that one is under way.
class LookAheadTest : public SchedulerTest {
 protected:
  bool schedule() { return scheduler_->schedule(++now_, input_); }
  bool schedule_ahead() { return scheduler_->schedule_ahead(ahead_); }
  // Answers the step in input_ with `token`; the one ahead is then the one under way.
  void finish(TokenId token) {
    answer();
    for (SampledToken& sample : output_.samples) sample.token = token;
    scheduler_->update(output_, ++now_, events_);
    const auto checked = scheduler_->check();
    EXPECT_TRUE(checked) << checked.error().message;
    scheduler_->take_ended(ended_);
    std::swap(input_, ahead_);
  }

  StepInput ahead_;
};

TEST_F(LookAheadTest, DecodesGoOnBeforeTheirTokensAreKnown) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  const RequestId id = add({.prompt = 4});
  ASSERT_TRUE(schedule());
  ASSERT_TRUE(schedule_ahead());
  ASSERT_THAT(ahead_.work, SizeIs(1));
  EXPECT_EQ(ahead_.work[0].first_position, 4);
  EXPECT_EQ(ahead_.work[0].new_blocks, 1);
  finish(7);
  finish(8);
  EXPECT_THAT(sequence(id).output, ElementsAre(7, 8));
  EXPECT_EQ(sequence(id).num_in_flight, 0);
}

TEST_F(LookAheadTest, ALengthIsNeverExceeded) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 6}, 10, 4);
  add({.prompt = 4, .max_tokens = 1});
  const RequestId full = add({.prompt = 4, .max_tokens = 1000});
  ASSERT_TRUE(schedule());
  ASSERT_TRUE(schedule_ahead());
  ASSERT_THAT(ahead_.work, SizeIs(1));
  EXPECT_EQ(ahead_.work[0].slot, sequence(full).slot);
  finish(7);
  EXPECT_FALSE(schedule_ahead()) << "its context is full with the token under way";
  finish(7);
  EXPECT_EQ(scheduler_->find(full), nullptr);
  EXPECT_FALSE(schedule());
}

TEST_F(LookAheadTest, WhoHasEndedLosesItsSampleAndItsSlot) {
  build({.max_num_seqs = 1, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  const RequestId first = add({.prompt = 4});
  const RequestId second = add({.prompt = 3});
  ASSERT_TRUE(schedule());
  ASSERT_TRUE(schedule_ahead());
  scheduler_->end(group(first), group(first).sequences()[0], FinishReason::kAborted);
  EXPECT_EQ(memory_->num_free_blocks(), 10);
  finish(7);
  EXPECT_THAT(events_.tokens, IsEmpty());
  EXPECT_FALSE(schedule_ahead()) << "there is room for a newcomer";
  finish(7);
  EXPECT_THAT(events_.tokens, IsEmpty());
  ASSERT_TRUE(schedule());
  EXPECT_THAT(input_.ends, ElementsAre(0));
  EXPECT_EQ(sequence(second).slot, 0);
  finish(7);
  EXPECT_THAT(sequence(second).output, ElementsAre(7));
}

TEST_F(LookAheadTest, PrefillsAndScarceBlocksWaitForTheStepUnderWay) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 100}, 7, 4);
  add({.prompt = 12});
  ASSERT_TRUE(schedule());
  EXPECT_FALSE(schedule_ahead()) << "4 tokens of the prompt are left";
  finish(7);
  ASSERT_TRUE(schedule());
  EXPECT_TRUE(schedule_ahead());
  finish(7);
  add({.prompt = 4});
  EXPECT_FALSE(schedule_ahead()) << "a newcomer has room";
  finish(7);
  ASSERT_TRUE(schedule());
  EXPECT_TRUE(schedule_ahead());
  finish(7);
  EXPECT_EQ(memory_->num_free_blocks(), 1);
  EXPECT_FALSE(schedule_ahead()) << "two rows could need more, and so a preemption";
}

TEST_F(LookAheadTest, ForksDecodeAhead) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 8, .max_model_len = 100}, 20, 4);
  const RequestId id = add({.prompt = 6, .n = 2});
  ASSERT_TRUE(schedule());
  EXPECT_THAT(input_.forks, SizeIs(1));
  ASSERT_TRUE(schedule_ahead());
  EXPECT_THAT(ahead_.work, SizeIs(2));
  EXPECT_THAT(ahead_.copies, SizeIs(1)) << "the first writer into the shared block";
  scheduler_->end(group(id), group(id).sequences()[0], FinishReason::kStop);
  finish(7);
  EXPECT_THAT(events_.tokens, SizeIs(1));
  finish(8);
  EXPECT_THAT(sequence(id, 1).output, ElementsAre(7, 8));
}

TEST_F(LookAheadTest, AFailedStepTakesTheOneAheadAlong) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  const RequestId id = add({.prompt = 4});
  ASSERT_TRUE(schedule());
  ASSERT_TRUE(schedule_ahead());
  scheduler_->forget_rows();
  scheduler_->end(group(id), group(id).sequences()[0], FinishReason::kError);
  EXPECT_TRUE(scheduler_->check());
  EXPECT_FALSE(schedule());
  EXPECT_EQ(memory_->num_free_blocks(), 10);
}

}  // namespace
}  // namespace quire
