#include "scheduler/prefix_reuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Prompts of the fixture begin alike: 100, 101, 102, ... Blocks have 4 tokens.
class PrefixReuseTest : public SchedulerTest {
 protected:
  void build_cached(SchedulerOptions options, int32_t num_blocks) {
    options.expected_output_tokens = 0;  // whoever fits at the moment is admitted
    memory_ = std::make_unique<KvCacheManager>(num_blocks, 4,
                                               std::make_unique<Blake2Hasher>(Blake2Hasher::Secret{}));
    scheduler_ = std::make_unique<Scheduler>(options, *memory_);
  }

  void run_to_end() {
    while (step()) {
    }
  }
  int32_t found() const { return ended_.back()->num_cached_tokens; }
};

TEST_F(PrefixReuseTest, ALaterRequestStartsBehindWhatItFinds) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 10);
  add({.prompt = 10, .max_tokens = 3});
  run_to_end();
  EXPECT_EQ(found(), 0);
  EXPECT_EQ(memory_->num_free_blocks(), 10);

  add({.prompt = 9, .max_tokens = 1});
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.work, SizeIs(1));
  EXPECT_THAT(input_.starts[0].tokens, SizeIs(9));
  EXPECT_EQ(input_.work[0].first_position, 8);
  EXPECT_EQ(input_.work[0].num_tokens, 1);
  EXPECT_EQ(input_.work[0].new_blocks, 3);
  EXPECT_THAT(input_.block_ids, ElementsAre(0, 1, 3));
  EXPECT_EQ(found(), 8);
  EXPECT_EQ(scheduler_->prefixes().num_tokens_queried(), 19);
  EXPECT_EQ(scheduler_->prefixes().num_tokens_found(), 8);
}

TEST_F(PrefixReuseTest, SaltsShareNothing) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  for (const int32_t expected : {0, 8}) {
    for (const char* salt : {"", "one", "two"}) {
      add({.prompt = 9, .max_tokens = 1, .salt = salt});
      run_to_end();
      EXPECT_EQ(found(), expected) << salt;
    }
  }
  EXPECT_EQ(memory_->prefix_cache()->num_cached(), 6);
}

TEST_F(PrefixReuseTest, NeitherDoTenants) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  for (const int32_t expected : {0, 8}) {
    for (const TenantId tenant : {0, 1, 2}) {
      add({.prompt = 9, .max_tokens = 1, .tenant = tenant, .salt = "the same"});
      run_to_end();
      EXPECT_EQ(found(), expected) << tenant;
    }
  }
}

TEST_F(PrefixReuseTest, OutputIsFoundToo) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 10);
  add({.prompt = 3, .max_tokens = 6});  // 100 101 102 5 | 5 5 5 5 and one that was never computed
  run_to_end();
  EXPECT_EQ(memory_->prefix_cache()->num_cached(), 2) << "the block that its end has filled too";
}

TEST_F(PrefixReuseTest, ARequestUnderWayIsFound) {
  build_cached({.max_num_seqs = 4, .max_num_batched_tokens = 8, .max_model_len = 100}, 20);
  add({.prompt = 16, .max_tokens = 2});
  ASSERT_TRUE(step());
  add({.prompt = 9, .max_tokens = 1});
  run_to_end();
  EXPECT_EQ(ended_[0]->num_cached_tokens + ended_[1]->num_cached_tokens, 8) << "half of the prompt ran";
}

TEST_F(PrefixReuseTest, WhatTwoComputeSideBySideMerges) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  const RequestId first = add({.prompt = 9});
  const RequestId second = add({.prompt = 9});
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[1].first_position, 0);
  EXPECT_EQ(memory_->num_free_blocks(), 20 - 4);
  ASSERT_TRUE(step());
  ASSERT_THAT(input_.edits, SizeIs(2));
  EXPECT_EQ(input_.edits[1].slot, sequence(second).slot);
  EXPECT_EQ(input_.edits[1].index, 1);
  EXPECT_EQ(input_.edits[1].block, memory_->table(sequence(first).slot).blocks[1]);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.edits, IsEmpty()) << "they are told once";
}

TEST_F(PrefixReuseTest, AnEditIsNotToldOfARowThatHasEnded) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  add({.prompt = 9});
  const RequestId second = add({.prompt = 9});
  ASSERT_TRUE(step());
  scheduler_->end(group(second), group(second).sequences()[0], FinishReason::kAborted);
  ASSERT_TRUE(step());
  EXPECT_THAT(input_.edits, IsEmpty());
  EXPECT_THAT(input_.ends, SizeIs(1));
}

TEST_F(PrefixReuseTest, PromptLogprobsAreComputedAndNotFound) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  add({.prompt = 9, .max_tokens = 1});
  run_to_end();
  add({.prompt = 9, .max_tokens = 1, .prompt_logprobs = true});
  run_to_end();
  EXPECT_EQ(found(), 0);
  EXPECT_THAT(scored_, SizeIs(8));
}

TEST_F(PrefixReuseTest, TheLeaderOfAForkFindsItsPrompt) {
  build_cached({.max_num_seqs = 4, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  add({.prompt = 8, .max_tokens = 1});
  run_to_end();
  add({.prompt = 8, .max_tokens = 3, .n = 3});
  ASSERT_TRUE(step());
  EXPECT_EQ(input_.work[0].first_position, 4) << "a token is left to sample from";
  EXPECT_THAT(input_.forks, SizeIs(2));
  run_to_end();
  EXPECT_EQ(memory_->num_free_blocks(), 20);
}

TEST_F(PrefixReuseTest, WhoIsPreemptedFindsItsOwnBlocks) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 8);
  const RequestId first = add({.prompt = 10, .max_tokens = 12});
  add({.prompt = 3, .max_tokens = 20});
  for (int i = 0; i < 200 && scheduler_->num_preemptions() == 0; ++i) ASSERT_TRUE(step());
  ASSERT_EQ(scheduler_->num_preemptions(), 1);
  while (scheduler_->find(first) != nullptr) ASSERT_TRUE(step());
  int32_t position = 0;
  for (bool started = false; !started;) {
    ASSERT_TRUE(step());
    started = !input_.starts.empty();
    if (started) position = input_.work[0].first_position;
  }
  EXPECT_GE(position, 4) << "what the other one did not need is still there";
  run_to_end();
}

TEST_F(PrefixReuseTest, AdmissionCountsWhatIsFoundOnce) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 7);
  const RequestId first = add({.prompt = 17, .max_tokens = 4});  // 5 blocks, and one more to come
  ASSERT_TRUE(step());
  ASSERT_NE(scheduler_->find(first), nullptr);
  add({.prompt = 17, .max_tokens = 2});  // alone it needs 6; beside the first one only what is its own
  ASSERT_TRUE(step());
  EXPECT_THAT(scheduler_->running(), SizeIs(1)) << "2 blocks are free, 1 is promised, and it asks for 2";
  run_to_end();
  EXPECT_EQ(found(), 16);
}

TEST_F(PrefixReuseTest, AFailedStepLeavesNothingBehind) {
  build_cached({.max_num_seqs = 2, .max_num_batched_tokens = 64, .max_model_len = 100}, 20);
  const RequestId id = add({.prompt = 9});
  ASSERT_TRUE(scheduler_->schedule(++now_, input_));
  scheduler_->forget_rows();
  scheduler_->end(group(id), group(id).sequences()[0], FinishReason::kError);
  EXPECT_EQ(memory_->prefix_cache()->num_cached(), 0);
  EXPECT_TRUE(scheduler_->check());
}

}  // namespace
}  // namespace quire
