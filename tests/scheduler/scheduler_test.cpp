#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace quire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Request {
  int32_t prompt = 4;
  int32_t max_tokens = 1000;
  int32_t n = 1;
  bool prompt_logprobs = false;
};

// Drives the scheduler by hand: every sample is answered with the token 5.
class SchedulerTest : public testing::Test {
 protected:
  void build(const SchedulerOptions& options, int32_t num_blocks, int32_t block_size) {
    memory_ = std::make_unique<KvCacheManager>(num_blocks, block_size);
    scheduler_ = std::make_unique<Scheduler>(options, *memory_);
  }

  RequestId add(const Request& request) {
    SamplingParams params;
    params.n = request.n;
    params.max_tokens = request.max_tokens;
    if (request.prompt_logprobs) params.prompt_logprobs = 0;
    const RequestId id = next_id_++;
    std::vector<TokenId> prompt;
    for (int32_t i = 0; i < request.prompt; ++i) prompt.push_back(100 + i);
    scheduler_->add(std::make_unique<SequenceGroup>(
        SequenceGroup::Origin{.id = id, .first_sequence = id * 100, .seed = 1, .arrival_ns = 0},
        std::move(prompt), std::make_shared<const SamplingParams>(params)));
    return id;
  }

  // One step into input_; false if there was nothing to do.
  bool step() {
    if (!scheduler_->schedule(++now_, input_)) return false;
    answer();
    scheduler_->update(output_, ++now_, events_);
    const auto checked = scheduler_->check();
    EXPECT_TRUE(checked) << checked.error().message;
    scheduler_->take_ended(ended_);
    return true;
  }

  void answer() {
    output_.clear();
    for (const RowStart& start : input_.starts) num_prompt_[start.slot] = start.num_prompt_tokens;
    for (const RowWork& work : input_.work) {
      if (work.prompt_logprobs_from < 0) continue;
      const int32_t last = std::min(work.first_position + work.num_tokens, num_prompt_[work.slot] - 1);
      for (int32_t p = work.prompt_logprobs_from + 1; p <= last; ++p) {
        output_.prompt_logprobs.push_back({.slot = work.slot, .position = p});
        scored_.push_back(p);
      }
    }
    for (const SampleWork& sample : input_.samples)
      output_.samples.push_back({.slot = sample.slot, .token = 5});
  }

  int32_t num_tokens_in_step() const {
    int32_t total = 0;
    for (const RowWork& work : input_.work) total += work.num_tokens;
    return total;
  }

  SequenceGroup& group(RequestId id) { return *scheduler_->find(id); }
  const Sequence& sequence(RequestId id, size_t index = 0) { return group(id).sequences()[index]; }

  std::unique_ptr<KvCacheManager> memory_;
  std::unique_ptr<Scheduler> scheduler_;
  StepInput input_;
  StepOutput output_;
  StepEvents events_;
  std::vector<std::unique_ptr<SequenceGroup>> ended_;
  std::map<SlotId, int32_t> num_prompt_;
  std::vector<int32_t> scored_;  // positions of prompt log-probabilities that were asked for
  RequestId next_id_ = 1;
  int64_t now_ = 0;
};

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
