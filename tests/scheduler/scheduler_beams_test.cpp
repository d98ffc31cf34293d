// Beam searches among the scheduler's rows and blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SchedulerBeamsTest : public SchedulerTest {
 protected:
  RequestId add_search(int32_t prompt, int32_t width, int32_t max_tokens) {
    return add({.prompt = prompt, .max_tokens = max_tokens, .n = width, .use_beam_search = true});
  }
};

// Two tenants, and rows for one request: the turn is whose was served less. A search of width 3 costs as
// three answers of its length do.
TEST_F(SchedulerBeamsTest, EveryBeamsTokensCountForItsTenant) {
  build({.max_num_seqs = 3, .max_num_batched_tokens = 16, .max_model_len = 100}, 40, 4);
  add_search(6, 3, 4);
  const RequestId own = add({.prompt = 6, .max_tokens = 1, .n = 3});
  const RequestId other = add({.prompt = 9, .max_tokens = 1, .n = 3, .tenant = 1});
  while (group(own).state() == GroupState::kWaiting && group(other).state() == GroupState::kWaiting) {
    ASSERT_TRUE(step());
    if (!scheduler_->find(own) || !scheduler_->find(other)) break;
  }
  EXPECT_TRUE(scheduler_->find(own)) << "it waits for the tenant that had less";
}

TEST_F(SchedulerBeamsTest, OneRowReadsThePromptAndTheOthersBranchFromIt) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 20, 4);
  const RequestId id = add_search(6, 3, 10);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.forks, IsEmpty());
  EXPECT_THAT(input_.samples, SizeIs(1)) << "all beams come from one row";
  EXPECT_EQ(memory_->num_free_blocks(), 18);
  EXPECT_EQ(memory_->num_table_entries(), 6) << "three beams share two blocks";

  ASSERT_TRUE(step());
  ASSERT_THAT(input_.branches, SizeIs(2));
  for (const RowFork& branch : input_.branches) {
    EXPECT_EQ(branch.parent, sequence(id).slot);
    EXPECT_EQ(branch.num_tokens, 6);
    EXPECT_THAT(branch.tokens, IsEmpty());
  }
  ASSERT_THAT(input_.tokens, SizeIs(3));
  EXPECT_EQ(input_.tokens[0].token, 5);
  EXPECT_EQ(input_.tokens[1].token, 6);
  EXPECT_EQ(input_.tokens[2].token, 7);
  EXPECT_THAT(input_.copies, SizeIs(2)) << "the last of the three writes in place";
  EXPECT_THAT(input_.work, SizeIs(3));
  EXPECT_THAT(input_.samples, SizeIs(3));
}

// The children of 5 (-1) are -2 -3 -4; those of 6 (-2) are -3 -4. So 5 has two of three, 6 one, 7 none.
TEST_F(SchedulerBeamsTest, ADeadBeamsBlocksAreFreeAndItsPlaceIsTaken) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 20, 4);
  const RequestId id = add_search(4, 3, 10);
  ASSERT_TRUE(step());
  ASSERT_TRUE(step());
  const SlotId dead = sequence(id, 2).slot;
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.ends, ElementsAre(dead));
  ASSERT_THAT(input_.branches, SizeIs(1));
  EXPECT_EQ(input_.branches[0].child, dead);
  EXPECT_EQ(input_.branches[0].parent, sequence(id, 0).slot);
  EXPECT_EQ(input_.branches[0].num_tokens, 5);
  EXPECT_THAT(input_.copies, SizeIs(1));
}

TEST_F(SchedulerBeamsTest, TheBestComeAtTheEndAndAllIsFree) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 20, 4);
  add_search(4, 2, 3);
  ASSERT_TRUE(step());
  EXPECT_THAT(events_.searches, IsEmpty());
  ASSERT_TRUE(step());
  ASSERT_TRUE(step());
  EXPECT_THAT(events_.tokens, IsEmpty());
  ASSERT_THAT(events_.searches, SizeIs(1));
  const auto& best = events_.searches[0].best;
  ASSERT_THAT(best, SizeIs(2));
  EXPECT_THAT(best[0].tokens, ElementsAre(5, 5, 5));
  EXPECT_THAT(best[0].logprobs, ElementsAre(-1.0F, -1.0F, -1.0F));
  EXPECT_EQ(best[0].score, -1.0);
  EXPECT_EQ(best[0].finish_reason, FinishReason::kLength);
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0]->finish_reason(), FinishReason::kLength);
  EXPECT_EQ(memory_->num_free_blocks(), 20);
  EXPECT_EQ(memory_->num_table_entries(), 0);
}

TEST_F(SchedulerBeamsTest, ABudgetBelowTheBeamsMakesThemWaitForEachOther) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 2, .max_model_len = 100}, 20, 4);
  const RequestId id = add_search(2, 3, 10);
  ASSERT_TRUE(step());
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.work, SizeIs(2));
  EXPECT_THAT(sequence(id, 0).output, SizeIs(1));
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.work, SizeIs(1)) << "the others have their candidates";
  EXPECT_THAT(sequence(id, 0).output, SizeIs(2));
}

TEST_F(SchedulerBeamsTest, APreemptedSearchComesBackWithItsBeams) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 12, 2);
  const RequestId old = add({.prompt = 2});
  const RequestId young = add_search(3, 2, 20);
  while (scheduler_->num_preemptions() == 0) ASSERT_TRUE(step());
  const auto best = sequence(young, 0).output, second = sequence(young, 1).output;
  ASSERT_GT(best.size(), 1u);
  EXPECT_EQ(second.size(), best.size());
  SequenceGroup& oldest = group(old);
  scheduler_->end(oldest, oldest.sequences()[0], FinishReason::kAborted);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.branches, IsEmpty()) << "what was chosen before is in the rows that start";
  EXPECT_THAT(input_.tokens, IsEmpty());
  ASSERT_THAT(input_.starts, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(3 + best.size()));
  ASSERT_THAT(input_.forks, SizeIs(1));
  EXPECT_EQ(input_.forks[0].tokens, second);
  while (scheduler_->find(young) != nullptr) ASSERT_TRUE(step());
  ASSERT_THAT(events_.searches, SizeIs(1));
  EXPECT_EQ(events_.searches[0].best[0].tokens, std::vector<TokenId>(20, 5));
}

TEST_F(SchedulerBeamsTest, NothingIsScheduledAheadOfAChoice) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 16, .max_model_len = 100}, 20, 4);
  add({.prompt = 2, .max_tokens = 50});
  const RequestId search = add_search(2, 2, 10);
  StepInput ahead;
  ASSERT_TRUE(scheduler_->schedule(++now_, input_));
  EXPECT_FALSE(scheduler_->schedule_ahead(ahead));
  answer();
  scheduler_->update(output_, ++now_, events_);
  SequenceGroup& beams = group(search);
  for (Sequence& beam : beams.sequences()) scheduler_->end(beams, beam, FinishReason::kAborted);
  ASSERT_TRUE(scheduler_->check());
  ASSERT_TRUE(scheduler_->schedule(++now_, input_));
  EXPECT_THAT(input_.branches, IsEmpty());
  EXPECT_THAT(input_.ends, SizeIs(1)) << "one of the beams never had a row";
  EXPECT_TRUE(scheduler_->schedule_ahead(ahead));
}

}  // namespace
}  // namespace quire
