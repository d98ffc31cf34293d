#include "scheduler/step_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A group of `n` sequences with a prompt of 6 tokens, in blocks of 4; sequence i has slot i.
class StepPlanTest : public testing::Test {
 protected:
  StepPlanTest() : group_({.id = 1, .first_sequence = 100, .seed = 9}, {1, 2, 3, 4, 5, 6}, params()) {
    for (Sequence& sequence : group_.sequences()) sequence.slot = sequence.index;
    memory_.add(leader().slot);
    plan_.begin(input_);
  }

  static std::shared_ptr<const SamplingParams> params() {
    auto made = std::make_shared<SamplingParams>();
    made->n = 2;
    return made;
  }

  Sequence& leader() { return group_.sequences()[0]; }
  Sequence& sibling() { return group_.sequences()[1]; }

  PlannedRow row(Sequence& sequence, int32_t num_tokens) {
    const int32_t first = sequence.num_computed;
    EXPECT_TRUE(memory_.append(sequence.slot, num_tokens, plan_.copies()));
    sequence.num_computed += num_tokens;
    return {.group = &group_, .sequence = &sequence, .first_position = first, .num_tokens = num_tokens};
  }

  const StepInput& write() {
    plan_.write(memory_);
    return input_;
  }

  KvCacheManager memory_{8, 4};
  SequenceGroup group_;
  StepPlan plan_{4};
  StepInput input_;
};

TEST_F(StepPlanTest, ARowStartsOnceAndItsBlocksAreSentOnce) {
  plan_.add_prefill(row(leader(), 3));
  const StepInput& first = write();
  ASSERT_EQ(first.starts.size(), 1u);
  EXPECT_THAT(first.starts[0].tokens, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(first.starts[0].num_prompt_tokens, 6);
  ASSERT_EQ(first.work.size(), 1u);
  EXPECT_EQ(first.work[0].new_blocks, 1);
  EXPECT_THAT(first.samples, IsEmpty());

  plan_.begin(input_);
  plan_.add_prefill(row(leader(), 2));
  const StepInput& second = write();
  EXPECT_THAT(second.starts, IsEmpty());
  EXPECT_EQ(second.work[0].first_position, 3);
  EXPECT_EQ(second.work[0].new_blocks, 1);
  EXPECT_THAT(second.block_ids, ElementsAre(memory_.table(leader().slot).blocks[1]));
}

TEST_F(StepPlanTest, ARowThatComesBackStartsWithWhatItGenerated) {
  leader().output = {7, 8};
  plan_.add_prefill(row(leader(), 8));
  EXPECT_THAT(write().starts[0].tokens, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(input_.starts[0].num_prompt_tokens, 6);
}

TEST_F(StepPlanTest, DecodesGoBeforePrefills) {
  memory_.add(sibling().slot);
  plan_.add_prefill(row(leader(), 6));
  row(sibling(), 1);
  plan_.add_decode(sibling(), memory_.table(sibling().slot));
  const StepInput& input = write();
  ASSERT_EQ(input.work.size(), 2u);
  EXPECT_EQ(input.work[0].slot, sibling().slot);
  EXPECT_EQ(input.work[0].first_position, 0);
  std::vector<PlannedSample> samples, scored;
  plan_.take_samples(samples, scored);
  ASSERT_EQ(samples.size(), 1u) << "a decode samples";
  EXPECT_EQ(samples[0].sequence, sibling().id);
  EXPECT_EQ(sibling().num_in_flight, 1);
  EXPECT_EQ(input.work[1].slot, leader().slot);
  EXPECT_EQ(input.block_ids[0], memory_.table(sibling().slot).blocks[0]);
}

TEST_F(StepPlanTest, AForkSamplesFromTheRowOfItsParent) {
  PlannedRow planned = row(leader(), 6);
  planned.samples = planned.forks = true;
  memory_.fork(leader().slot, sibling().slot);
  sibling().num_computed = 6;
  plan_.add_prefill(planned);
  const StepInput& input = write();
  ASSERT_EQ(input.forks.size(), 1u);
  EXPECT_EQ(input.forks[0].parent, leader().slot);
  EXPECT_EQ(input.forks[0].child, sibling().slot);
  EXPECT_EQ(input.forks[0].num_tokens, 6);
  EXPECT_EQ(input.forks[0].seed, sibling().seed);
  ASSERT_EQ(input.samples.size(), 2u);
  EXPECT_EQ(input.samples[0].row, 0);
  EXPECT_EQ(input.samples[1].row, 0);
  EXPECT_EQ(input.samples[1].slot, sibling().slot);
  EXPECT_TRUE(sibling().has_row);
  EXPECT_EQ(sibling().num_blocks_sent, 2);
}

TEST_F(StepPlanTest, ASiblingThatHasEndedIsNotForked) {
  PlannedRow planned = row(leader(), 6);
  planned.samples = planned.forks = true;
  group_.finish(sibling(), FinishReason::kAborted);
  plan_.add_prefill(planned);
  EXPECT_THAT(write().forks, IsEmpty());
  EXPECT_EQ(input_.samples.size(), 1u);
}

}  // namespace
}  // namespace quire
