// Groups that leave for the swap space and come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <utility>

#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Six blocks of two, so that two requests push each other out; swap-ins arrive when told to.
class SchedulerSwapTest : public SchedulerTest {
 protected:
  void build_small(int32_t num_swap_slots = 10, PreemptionMode mode = PreemptionMode::kSwap) {
    build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100, .preemption_mode = mode},
          6, 2, num_swap_slots);
  }

  // Plans a step; the answer brings in what `arrives` names, and loses what `fails` names.
  bool step_with(std::vector<SwapSlotId> arrives, std::vector<SwapSlotId> fails = {}) {
    if (!scheduler_->schedule(++now_, input_)) return false;
    answer();
    output_.swapped_in = std::move(arrives);
    output_.swap_failures = std::move(fails);
    scheduler_->update(output_, ++now_, events_);
    const auto checked = scheduler_->check();
    EXPECT_TRUE(checked) << checked.error().message;
    scheduler_->take_ended(ended_);
    return true;
  }

  // Two requests, the younger of which has just been swapped out.
  void swap_one_out(int32_t n = 1) {
    old_ = add({.prompt = 2});
    young_ = add({.prompt = 2, .n = n});
    while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
    ASSERT_EQ(group(young_).state(), GroupState::kSwapped);
  }
  void end(RequestId id) {
    SequenceGroup& ending = group(id);
    for (Sequence& s : ending.sequences()) {
      if (!s.finished()) scheduler_->end(ending, s, FinishReason::kAborted);
    }
    const auto checked = scheduler_->check();
    EXPECT_TRUE(checked) << checked.error().message;
  }
  std::vector<SwapSlotId> slots_in() const {
    std::vector<SwapSlotId> slots;
    for (const SwapIn& swap_in : input_.swap_ins) slots.push_back(swap_in.swap_slot);
    return slots;
  }
  // The younger one is on its way back, alone.
  void start_return() {
    end(old_);
    ASSERT_TRUE(step_with({}));
    ASSERT_EQ(group(young_).state(), GroupState::kReturning);
  }
  void expect_nothing_held() {
    EXPECT_EQ(memory_->num_free_blocks(), memory_->num_blocks());
    EXPECT_EQ(memory_->swap_books().num_free(), memory_->swap_books().num_slots());
  }

  RequestId old_ = 0, young_ = 0;
};

TEST_F(SchedulerSwapTest, TheNewestGroupLeavesWholeAndComesBackWhereItWas) {
  build_small();
  swap_one_out();
  const auto num_generated = static_cast<int32_t>(sequence(young_).output.size());
  const int32_t num_computed = 2 + num_generated - 1;
  EXPECT_THAT(input_.swap_outs, SizeIs(static_cast<size_t>((num_computed + 1) / 2)));
  EXPECT_THAT(input_.ends, SizeIs(1)) << "its row ends in the very step";
  EXPECT_EQ(scheduler_->preemption_counts().num_swapped, 1);

  start_return();
  EXPECT_THAT(input_.work, IsEmpty()) << "a step that only waits";
  EXPECT_THAT(input_.swap_ins, SizeIs(static_cast<size_t>((num_computed + 1) / 2)));
  const auto slots = slots_in();
  ASSERT_TRUE(step_with({slots.begin(), slots.end() - 1}));
  EXPECT_EQ(group(young_).state(), GroupState::kReturning) << "one is missing";
  ASSERT_TRUE(step_with({slots.back()}));
  EXPECT_EQ(group(young_).state(), GroupState::kRunning);
  EXPECT_EQ(memory_->swap_books().num_free(), 10);

  ASSERT_TRUE(step());
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(static_cast<size_t>(2 + num_generated)));
  ASSERT_THAT(input_.work, SizeIs(1));
  EXPECT_EQ(input_.work[0].first_position, num_computed);
  EXPECT_EQ(input_.work[0].num_tokens, 1);
  EXPECT_EQ(input_.work[0].new_blocks, (num_computed + 2) / 2);
  EXPECT_THAT(input_.samples, SizeIs(1));
}

TEST_F(SchedulerSwapTest, ForksComeBackWithRowsOfTheirOwnAndShareAsBefore) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 16,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        9, 2, 20);
  old_ = add({.prompt = 1});
  young_ = add({.prompt = 4, .n = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_TRUE(group(young_).forked);
  start_return();
  const auto used = memory_->num_blocks() - memory_->num_free_blocks();
  EXPECT_EQ(std::ssize(input_.swap_ins), used) << "each block once";
  EXPECT_EQ(memory_->table(sequence(young_, 0).slot).blocks[1],
            memory_->table(sequence(young_, 1).slot).blocks[1]);
  ASSERT_TRUE(step_with(slots_in()));
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, SizeIs(2));
  EXPECT_THAT(input_.forks, IsEmpty());
  EXPECT_THAT(input_.samples, SizeIs(2));
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, IsEmpty());
}

// Swapped out between the fork and the first token of their own, both write into the block that they share.
TEST_F(SchedulerSwapTest, ACopyForARowThatStartsNamesNoSlot) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 3,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        15, 2, 20);
  old_ = add({.prompt = 2});
  ASSERT_TRUE(step());
  young_ = add({.prompt = 17, .n = 2});  // while it is read, the old one takes what it left
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  ASSERT_TRUE(group(young_).forked);
  ASSERT_EQ(sequence(young_).output.size(), 1u);
  start_return();
  ASSERT_TRUE(step_with(slots_in()));
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.copies, SizeIs(1));
  EXPECT_EQ(input_.copies[0].slot, -1);
  ASSERT_THAT(input_.starts, SizeIs(2));
}

TEST_F(SchedulerSwapTest, BeamsComeBackAsTheyWereAndChooseOn) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 16,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        9, 2, 20);
  old_ = add({.prompt = 1});
  young_ = add({.prompt = 4, .n = 2, .use_beam_search = true});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  ASSERT_EQ(group(young_).state(), GroupState::kSwapped);
  const std::vector<TokenId> best = sequence(young_, 0).output, second = sequence(young_, 1).output;
  ASSERT_GT(best.size(), 1u);
  start_return();
  ASSERT_TRUE(step_with(slots_in()));
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.starts, SizeIs(2)) << "rows of both, with what they had chosen";
  for (const RowStart& start : input_.starts) {
    const auto& output = start.slot == sequence(young_, 0).slot ? best : second;
    EXPECT_TRUE(std::ranges::equal(std::span(start.tokens).subspan(4), output));
  }
  EXPECT_THAT(input_.branches, IsEmpty());
  EXPECT_THAT(input_.tokens, IsEmpty());
  EXPECT_THAT(input_.samples, SizeIs(2));
  EXPECT_EQ(num_tokens_in_step(), 2) << "nothing is computed twice";
  EXPECT_EQ(sequence(young_, 0).output.size(), best.size() + 1) << "both had candidates: a choice was made";
}

// In turns of two tokens a step, one of three beams waits for the others' candidates.
TEST_F(SchedulerSwapTest, BeamsOfWhichSomeHaveCandidatesAreComputedAgain) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 2,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        12, 2, 20);
  old_ = add({.prompt = 2, .max_tokens = 20});
  young_ = add({.prompt = 4, .max_tokens = 6, .n = 3, .use_beam_search = true});
  bool had_some = false;
  for (std::vector<SwapSlotId> under_way; scheduler_->find(young_) != nullptr;) {
    const auto computed = [&](int i) { return sequence(young_, i).num_computed; };
    const bool has_some =
        group(young_).forked && (computed(0) != computed(1) || computed(1) != computed(2));
    const PreemptionCounts before = scheduler_->preemption_counts();
    ASSERT_TRUE(step_with(std::exchange(under_way, {})));
    under_way = slots_in();
    if (!has_some || scheduler_->num_preemptions() == before.total()) continue;
    EXPECT_EQ(scheduler_->preemption_counts().num_recomputed, before.num_recomputed + 1);
    had_some = true;
  }
  EXPECT_TRUE(had_some);
}

TEST_F(SchedulerSwapTest, WithoutRoomItIsComputedAgain) {
  build_small(1);
  old_ = add({.prompt = 2});
  young_ = add({.prompt = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
  EXPECT_THAT(input_.swap_outs, IsEmpty());
  EXPECT_EQ(scheduler_->preemption_counts().num_recomputed, 1);
}

TEST_F(SchedulerSwapTest, RecomputeLeavesTheSwapSpaceAlone) {
  build_small(10, PreemptionMode::kRecompute);
  add({.prompt = 2});
  young_ = add({.prompt = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
}

TEST_F(SchedulerSwapTest, AWriteThatFailsMakesItRecompute) {
  build_small();
  swap_one_out();
  const SwapSlotId lost = input_.swap_outs[0].swap_slot;
  ASSERT_TRUE(step_with({}, {lost}));
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
  EXPECT_EQ(memory_->swap_books().num_free(), 10);
  EXPECT_EQ(scheduler_->preemption_counts().num_swaps_lost, 1);
  ASSERT_TRUE(step_with({}, {lost})) << "told again, of nobody's slot";
}

TEST_F(SchedulerSwapTest, AReadThatFailsMakesItRecomputeAndCancelsTheRest) {
  build_small();
  swap_one_out();
  const auto num_tokens = group(young_).num_tokens(sequence(young_));
  start_return();
  const auto slots = slots_in();
  ASSERT_GT(slots.size(), 1u);
  ASSERT_TRUE(step_with({slots[1]}, {slots[0]}));
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
  expect_nothing_held();
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.swap_cancels, testing::UnorderedElementsAreArray(slots));
  EXPECT_EQ(input_.work[0].first_position, 0);
  EXPECT_EQ(input_.work[0].num_tokens, num_tokens);
}

TEST_F(SchedulerSwapTest, AnAbortFreesEverythingInEveryState) {
  build_small();
  swap_one_out();
  end(young_);
  EXPECT_EQ(memory_->swap_books().num_free(), 10);
  end(old_);
  expect_nothing_held();

  build_small();
  swap_one_out();
  start_return();
  const auto slots = slots_in();
  end(young_);
  expect_nothing_held();
  EXPECT_FALSE(step()) << "nobody waits for what is on its way";
  add({.prompt = 2});
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.swap_cancels, slots);
}

TEST_F(SchedulerSwapTest, AContinuationThatEndsOnTheWayFreesWhatItAloneHeld) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 16,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        9, 2, 20);
  old_ = add({.prompt = 1});
  young_ = add({.prompt = 4, .n = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  start_return();
  const auto slots = slots_in();
  scheduler_->end(group(young_), group(young_).sequences()[0], FinishReason::kStop);
  const auto checked = scheduler_->check();
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(group(young_).state(), GroupState::kReturning);
  ASSERT_TRUE(step_with(slots)) << "those of the other arrive; the cancelled ones are not spoken of";
  EXPECT_EQ(group(young_).state(), GroupState::kRunning);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, SizeIs(1));
}

TEST_F(SchedulerSwapTest, TheSequenceThatComputesForAllMayEndInTheSwapSpace) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 3,
         .max_model_len = 100,
         .preemption_mode = PreemptionMode::kSwap},
        15, 2, 20);
  old_ = add({.prompt = 3});
  young_ = add({.prompt = 20, .n = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  ASSERT_EQ(group(young_).state(), GroupState::kSwapped);
  ASSERT_FALSE(group(young_).forked);
  scheduler_->end(group(young_), group(young_).sequences()[0], FinishReason::kStop);
  const auto checked = scheduler_->check();
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
}

TEST_F(SchedulerSwapTest, AFailedStepForgetsWhatWasSwapped) {
  build_small();
  swap_one_out();
  scheduler_->forget_rows();
  EXPECT_EQ(group(young_).state(), GroupState::kWaiting);
  end(old_);
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].first_position, 0);
}

TEST_F(SchedulerSwapTest, SwappedOnesComeBackBeforeNewcomers) {
  build_small();
  swap_one_out();
  const RequestId late = add({.prompt = 1});
  start_return();
  EXPECT_EQ(group(late).state(), GroupState::kWaiting) << "it came later, and there is no room beside";
}

TEST_F(SchedulerSwapTest, WhoeverIsExpectedToPushOthersOutWaits) {
  build_cautious({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 6, 2);
  add({.prompt = 2, .max_tokens = 7});  // four blocks in the end
  const RequestId second = add({.prompt = 2, .max_tokens = 7});
  ASSERT_TRUE(step());
  EXPECT_EQ(group(second).state(), GroupState::kWaiting) << "eight of six blocks";
  while (scheduler_->find(second) != nullptr) ASSERT_TRUE(step());
  EXPECT_EQ(scheduler_->num_preemptions(), 0);
}

TEST_F(SchedulerSwapTest, APreemptionAfterATokenIsNoThrash) {
  build_small(0);
  add({.prompt = 2});
  young_ = add({.prompt = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_EQ(scheduler_->preemption_counts().num_thrashes, 0);
  EXPECT_EQ(group(young_).num_outputs_preempted, std::ssize(sequence(young_).output));
}

}  // namespace
}  // namespace quire
