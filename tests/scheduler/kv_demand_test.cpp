#include "scheduler/kv_demand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "memory/kv_cache_manager.h"

namespace quire {
namespace {

// What the sequences really hold at once, by the book keeper: prefill, fork, and all write to their last
// slot.
int64_t measured_peak(int32_t num_prompt_tokens, int32_t max_tokens, int32_t n, int32_t block_size) {
  KvCacheManager memory(1000, block_size);
  std::vector<BlockCopy> copies;
  memory.add(0);
  EXPECT_TRUE(memory.append(0, num_prompt_tokens, copies));
  for (int32_t i = 1; i < n; ++i) memory.fork(0, i);
  for (int32_t step = 1; step < max_tokens; ++step) {
    for (int32_t i = 0; i < n; ++i) EXPECT_TRUE(memory.append(i, 1, copies));
  }
  return memory.num_blocks() - memory.num_free_blocks();
}

TEST(KvDemand, PeakIsExact) {
  for (const int32_t block_size : {1, 3, 4, 16}) {
    for (int32_t prompt = 1; prompt <= 10; ++prompt) {
      for (int32_t max_tokens = 1; max_tokens <= 9; ++max_tokens) {
        for (const int32_t n : {1, 2, 5}) {
          ASSERT_EQ(peak_blocks(prompt, max_tokens, n, block_size),
                    measured_peak(prompt, max_tokens, n, block_size))
              << prompt << " + " << max_tokens << ", n " << n << ", blocks of " << block_size;
        }
      }
    }
  }
}

TEST(KvDemand, PeakOfTheLargestRequestDoesNotOverflow) {
  EXPECT_EQ(peak_blocks(1, 2'147'483'647, 128, 1), int64_t{128} * 2'147'483'646 + 1);
}

TEST(KvDemand, AGroupEntersWithOneBlockToSpareForEachSequence) {
  SamplingParams params;
  params.n = 2;
  SequenceGroup group({}, std::vector<TokenId>(10, 1), std::make_shared<const SamplingParams>(params));
  EXPECT_EQ(blocks_to_enter(group, 4), 2 + 2 * (1 + 1));
  EXPECT_EQ(blocks_to_catch_up(group, 4), 2 + 2 * (1 + 1));
  group.sequences()[0].num_computed = 8;
  EXPECT_EQ(blocks_to_catch_up(group, 4), 2 * (1 + 1));
  group.forked = true;
  for (Sequence& sequence : group.sequences()) {
    sequence.num_computed = 10;
    sequence.output = {5, 5, 5};
  }
  EXPECT_EQ(blocks_to_catch_up(group, 4), 2 * (1 + 1))
      << "13 tokens in 3 blocks: one more to catch up, one to spare";
  group.finish(group.sequences()[0], FinishReason::kStop);
  EXPECT_EQ(blocks_to_catch_up(group, 4), 2);
}

}  // namespace
}  // namespace quire
