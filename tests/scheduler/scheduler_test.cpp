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

TEST(SchedulerFits, RefusalsCarryTheArithmetic) {
  const SchedulerOptions options{.max_num_seqs = 4, .max_num_batched_tokens = 8, .max_model_len = 20};
  const auto refusal = [&](int64_t prompt, int64_t max_tokens, int32_t n) {
    const auto fits = Scheduler::check_fits(options, 6, 4, prompt, max_tokens, n);
    return fits ? Error{} : fits.error();
  };
  EXPECT_EQ(refusal(0, 1, 1).param, "prompt");
  EXPECT_EQ(refusal(19, 1, 1).message, "");
  EXPECT_EQ(refusal(20, 1, 1).param, "prompt");
  EXPECT_THAT(refusal(20, 1, 1).message, HasSubstr("20 tokens, but the context holds 20"));
  EXPECT_EQ(refusal(12, 9, 1).param, "max_tokens");
  EXPECT_THAT(refusal(12, 9, 1).message,
              HasSubstr("12 tokens and max_tokens is 9: 21 in all, but the context holds 20"));
  EXPECT_THAT(refusal(1, 2'147'483'647, 1).message, HasSubstr("2147483648 in all"));
  EXPECT_EQ(refusal(4, 4, 5).param, "n");
  EXPECT_THAT(refusal(4, 4, 5).message, HasSubstr("at most 4"));
}

TEST(SchedulerFits, TheBlocksOfAllContinuationsCount) {
  const SchedulerOptions options{.max_num_seqs = 4, .max_num_batched_tokens = 8, .max_model_len = 20};
  EXPECT_TRUE(Scheduler::check_fits(options, 7, 4, 5, 12, 2));
  const auto fits = Scheduler::check_fits(options, 6, 4, 5, 12, 2);
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().param, "n");
  EXPECT_THAT(fits.error().message, HasSubstr("7 blocks of 4 tokens, but the KV cache has 6"));
}

TEST_F(SchedulerTest, NothingToDoIsNoStep) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  EXPECT_FALSE(step());
}

TEST_F(SchedulerTest, PrefillsInChunksThenDecodes) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 4, .max_model_len = 100}, 10, 4);
  add({.prompt = 6, .max_tokens = 2});
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(6));
  EXPECT_EQ(input_.starts[0].num_prompt_tokens, 6);
  ASSERT_THAT(input_.work, SizeIs(1));
  EXPECT_EQ(input_.work[0].num_tokens, 4);
  EXPECT_EQ(input_.work[0].new_blocks, 1);
  EXPECT_THAT(input_.samples, IsEmpty());

  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, IsEmpty());
  EXPECT_EQ(input_.work[0].first_position, 4);
  EXPECT_EQ(input_.work[0].num_tokens, 2);
  EXPECT_THAT(input_.samples, SizeIs(1));

  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].first_position, 6);
  EXPECT_EQ(input_.work[0].num_tokens, 1);
  EXPECT_EQ(input_.work[0].new_blocks, 0);
  EXPECT_THAT(input_.samples, SizeIs(1));
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0]->finish_reason(), FinishReason::kLength);
  EXPECT_EQ(memory_->num_free_blocks(), 10);

  EXPECT_FALSE(step()) << "a row's end alone is no step";
  add({.prompt = 1, .max_tokens = 1});
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.ends, ElementsAre(0)) << "it goes with the next one";
  EXPECT_EQ(input_.starts[0].slot, 0) << "and the slot is used again at once";
}

TEST_F(SchedulerTest, EveryDecodeIsInEveryStepOfAnothersLongPrefill) {
  build({.max_num_seqs = 8, .max_num_batched_tokens = 64, .max_model_len = 9000}, 700, 16);
  std::vector<RequestId> running;
  for (int i = 0; i < 5; ++i) running.push_back(add({.prompt = 3}));
  ASSERT_TRUE(step());
  const RequestId late = add({.prompt = 8000});
  int32_t num_steps = 0;
  while (scheduler_->find(late)->sequences()[0].output.empty()) {
    ASSERT_TRUE(step());
    ++num_steps;
    EXPECT_LE(num_tokens_in_step(), 64);
    std::set<SlotId> sampled;
    for (const SampleWork& sample : input_.samples) sampled.insert(sample.slot);
    for (const RequestId id : running) EXPECT_TRUE(sampled.contains(sequence(id).slot));
    for (size_t i = 0; i < running.size(); ++i)
      EXPECT_EQ(input_.work[i].num_tokens, 1) << "decodes go first";
  }
  EXPECT_EQ(num_steps, (8000 + 58) / 59) << "the rest of every step is the prefill's";
}

TEST_F(SchedulerTest, SeveralPrefillsShareAStepInOrderOfArrival) {
  build({.max_num_seqs = 8, .max_num_batched_tokens = 10, .max_model_len = 100}, 40, 4);
  add({.prompt = 4});
  add({.prompt = 4});
  add({.prompt = 4});
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.work, SizeIs(3));
  EXPECT_EQ(input_.work[0].num_tokens, 4);
  EXPECT_EQ(input_.work[1].num_tokens, 4);
  EXPECT_EQ(input_.work[2].num_tokens, 2);
  EXPECT_THAT(input_.samples, SizeIs(2));
}

TEST_F(SchedulerTest, NobodyOvertakes) {
  build({.max_num_seqs = 3, .max_num_batched_tokens = 100, .max_model_len = 100}, 40, 4);
  add({.prompt = 4, .n = 2});
  const RequestId second = add({.prompt = 4, .n = 2});
  const RequestId third = add({.prompt = 4});
  ASSERT_TRUE(step());
  EXPECT_EQ(group(second).state(), GroupState::kWaiting) << "three slots";
  EXPECT_EQ(group(third).state(), GroupState::kWaiting) << "it would fit, but came later";
}

TEST_F(SchedulerTest, ABudgetBelowTheDecodesGoesRound) {
  build({.max_num_seqs = 8, .max_num_batched_tokens = 2, .max_model_len = 1000}, 400, 4);
  const RequestId id = add({.prompt = 2, .n = 5});
  add({.prompt = 1});
  while (!group(id).forked) ASSERT_TRUE(step());
  std::map<SlotId, int> last_served;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(step());
    EXPECT_EQ(num_tokens_in_step(), 2);
    for (const RowWork& work : input_.work) last_served[work.slot] = i;
    for (const auto& [slot, served] : last_served) EXPECT_LT(i - served, 3) << "slot " << slot;
  }
  EXPECT_THAT(last_served, SizeIs(5)) << "the other request waits until there is budget left";
}

TEST_F(SchedulerTest, APrefillTakesPartInTheRound) {
  build({.max_num_seqs = 8, .max_num_batched_tokens = 4, .max_model_len = 1000}, 400, 4);
  add({.prompt = 1});
  const RequestId wide = add({.prompt = 11, .n = 4});
  const RequestId late = add({.prompt = 100});  // enters with what the last chunk of `wide` leaves
  while (!group(wide).forked) ASSERT_TRUE(step());
  ASSERT_EQ(group(late).state(), GroupState::kRunning);
  ASSERT_TRUE(sequence(late).output.empty());
  // Five decodes and a prefill under a budget of four.
  std::map<SlotId, int> last_served;
  for (int i = 0; sequence(late).output.empty(); ++i) {
    ASSERT_LT(i, 2 * 100);
    ASSERT_TRUE(step());
    EXPECT_EQ(num_tokens_in_step(), 4);
    for (const RowWork& work : input_.work) last_served[work.slot] = i;
    for (const auto& [slot, served] : last_served) EXPECT_LT(i - served, 2) << "slot " << slot;
  }
  EXPECT_THAT(last_served, SizeIs(6));
}

TEST_F(SchedulerTest, TheNewestGroupIsPreemptedWholeAndComesBackWithItsTokens) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 6, 2);
  const RequestId old = add({.prompt = 2});
  const RequestId young = add({.prompt = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_EQ(group(old).state(), GroupState::kRunning);
  EXPECT_EQ(group(young).state(), GroupState::kWaiting);
  EXPECT_THAT(input_.ends, SizeIs(1)) << "its row ends in the very step";
  const size_t num_generated = sequence(young).output.size();
  EXPECT_GT(num_generated, 0u);
  EXPECT_EQ(group(young).num_preemptions, 1);

  SequenceGroup& oldest = group(old);
  scheduler_->end(oldest, oldest.sequences()[0], FinishReason::kAborted);
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(2 + num_generated));
  EXPECT_EQ(input_.starts[0].num_prompt_tokens, 2);
  EXPECT_EQ(input_.work[0].first_position, 0);
  EXPECT_EQ(input_.work[0].num_tokens, static_cast<int32_t>(2 + num_generated));
  EXPECT_THAT(input_.samples, SizeIs(1));
}

TEST_F(SchedulerTest, ContinuationsForkWithTheLastChunk) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 4, .max_model_len = 100}, 20, 4);
  add({.prompt = 6, .n = 3});
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.forks, IsEmpty());
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, IsEmpty());
  ASSERT_THAT(input_.work, SizeIs(1));
  ASSERT_THAT(input_.forks, SizeIs(2));
  EXPECT_EQ(input_.forks[0].parent, 0);
  EXPECT_EQ(input_.forks[0].child, 1);
  EXPECT_EQ(input_.forks[0].num_tokens, 6);
  EXPECT_THAT(input_.forks[0].tokens, IsEmpty());
  EXPECT_NE(input_.forks[0].seed, input_.forks[1].seed);
  ASSERT_THAT(input_.samples, SizeIs(3));
  for (SlotId slot = 0; slot < 3; ++slot) {
    EXPECT_EQ(input_.samples[static_cast<size_t>(slot)].slot, slot);
    EXPECT_EQ(input_.samples[static_cast<size_t>(slot)].row, 0);
  }
  EXPECT_EQ(memory_->num_free_blocks(), 18) << "all three share";

  ASSERT_TRUE(step());
  ASSERT_THAT(input_.copies, SizeIs(2)) << "the last one writes in place";
  EXPECT_EQ(input_.copies[0].slot, 0);
  EXPECT_EQ(input_.copies[1].slot, 1);
  EXPECT_EQ(input_.copies[0].index, 1);
  EXPECT_EQ(input_.work[0].new_blocks, 0) << "the copy replaces an entry";
  EXPECT_EQ(memory_->num_free_blocks(), 16);
}

TEST_F(SchedulerTest, APreemptedForkPartsAgainAtThePrompt) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 9, 2);
  const RequestId old = add({.prompt = 1});
  const RequestId young = add({.prompt = 3, .n = 2});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  // The newest group has nobody to preempt, so its continuations may have stalled one by one.
  const size_t generated[] = {sequence(young, 0).output.size(), sequence(young, 1).output.size()};
  ASSERT_GT(generated[1], 0u);
  EXPECT_FALSE(group(young).forked);
  EXPECT_THAT(input_.ends, SizeIs(2));

  SequenceGroup& oldest = group(old);
  scheduler_->end(oldest, oldest.sequences()[0], FinishReason::kAborted);
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(3 + generated[0]));
  EXPECT_EQ(input_.work[0].num_tokens, 3) << "up to where they part";
  ASSERT_THAT(input_.forks, SizeIs(1));
  EXPECT_EQ(input_.forks[0].num_tokens, 3);
  EXPECT_THAT(input_.forks[0].tokens, SizeIs(generated[1]));
  EXPECT_THAT(input_.samples, IsEmpty());
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.work, SizeIs(2));
  EXPECT_THAT(input_.samples, SizeIs(2));
}

TEST_F(SchedulerTest, PromptLogprobsComeInChunks) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 3, .max_model_len = 100}, 40, 2);
  add({.prompt = 7, .prompt_logprobs = true});
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].prompt_logprobs_from, 0);
  EXPECT_THAT(scored_, ElementsAre(1, 2, 3));
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].prompt_logprobs_from, 3);
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].prompt_logprobs_from, -1)
      << "the last token of the prompt speaks of the first generated";
  EXPECT_THAT(scored_, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(SchedulerTest, PromptLogprobsDoNotComeAgainAfterAPreemption) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 2, .max_model_len = 100}, 8, 2);
  const RequestId old = add({.prompt = 2});
  const RequestId young = add({.prompt = 8, .prompt_logprobs = true});
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  EXPECT_TRUE(sequence(young).output.empty());
  EXPECT_THAT(scored_, ElementsAre(1, 2, 3, 4, 5, 6));
  SequenceGroup& oldest = group(old);
  scheduler_->end(oldest, oldest.sequences()[0], FinishReason::kAborted);
  while (sequence(young).output.empty()) ASSERT_TRUE(step());
  EXPECT_THAT(scored_, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(SchedulerTest, ALaterSequenceTakesOverWhenTheLeaderEndsBeforeTheFork) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 3, .max_model_len = 100}, 40, 2);
  const RequestId id = add({.prompt = 8, .n = 2, .prompt_logprobs = true});
  ASSERT_TRUE(step());
  scheduler_->end(group(id), group(id).sequences()[0], FinishReason::kStop);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.ends, ElementsAre(0));
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_EQ(input_.starts[0].slot, 1);
  EXPECT_EQ(input_.starts[0].seed, sequence(id, 1).seed);
  EXPECT_EQ(input_.work[0].first_position, 0);
  while (sequence(id, 1).output.empty()) ASSERT_TRUE(step());
  EXPECT_THAT(scored_, ElementsAre(1, 2, 3, 4, 5, 6, 7)) << "what came before is not asked for again";
}

TEST_F(SchedulerTest, AfterAFailedStepNoRowIsEnded) {
  build({.max_num_seqs = 2, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  const RequestId first = add({.prompt = 2});
  ASSERT_TRUE(step());
  scheduler_->forget_rows();
  scheduler_->end(group(first), group(first).sequences()[0], FinishReason::kError);
  add({.prompt = 2});
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.ends, IsEmpty());
  EXPECT_THAT(input_.starts, SizeIs(1));
}

TEST_F(SchedulerTest, AnAbortGivesBlocksBackAtOnce) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 8, .max_model_len = 100}, 10, 4);
  const RequestId id = add({.prompt = 20, .n = 2});
  ASSERT_TRUE(step());
  EXPECT_EQ(memory_->num_free_blocks(), 8);
  SequenceGroup& leaving = group(id);
  for (Sequence& s : leaving.sequences()) scheduler_->end(leaving, s, FinishReason::kAborted);
  EXPECT_EQ(memory_->num_free_blocks(), 10);
  EXPECT_EQ(scheduler_->find(id), nullptr);
  EXPECT_TRUE(scheduler_->check());
  EXPECT_FALSE(step());
}

}  // namespace
}  // namespace quire
