#include "engine/memory_plan.h"

#include <gtest/gtest.h>

#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

constexpr int64_t kGib = 1 << 30;

Expected<EnginePlan> plan(EngineConfig config, int64_t available = 8 * kGib) {
  const auto file = GgufFile::open(config.model = default_model());
  EXPECT_TRUE(file);
  config.threads = 2;
  return plan_engine(config, *file, available);
}

TEST(PlanEngine, TheDefaultPoolHoldsWhatAllSequencesCanUse) {
  const auto found = plan({.max_model_len = 1024, .max_num_seqs = 4});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->memory.bytes_per_block, int64_t{30} * 2 * 3 * 64 * 16 * 2);
  EXPECT_EQ(found->memory.num_blocks, 4 * 1024 / 16);
  EXPECT_FALSE(found->memory.kv_limited_by_memory);
  EXPECT_TRUE(found->warning.empty());
}

TEST(PlanEngine, TheDefaultPoolTakesAtMostHalfOfWhatIsFree) {
  const auto found = plan({}, 2 * kGib);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->memory.kv_limited_by_memory);
  const int64_t free = 2 * kGib - found->memory.weight_bytes - found->memory.workspace_bytes;
  EXPECT_LE(found->memory.kv_bytes(), free / 2);
  EXPECT_GT(found->memory.kv_bytes() + found->memory.bytes_per_block, free / 2);
  EXPECT_EQ(found->config.max_model_len, 8192);
}

TEST(PlanEngine, ASmallPoolShortensTheContextWithAWarning) {
  const int64_t block = int64_t{30} * 2 * 3 * 64 * 16 * 2;
  const auto found = plan({.kv_cache_memory_bytes = 2 * block + 5});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->memory.num_blocks, 2);
  EXPECT_EQ(found->config.max_model_len, 32);
  EXPECT_NE(found->warning.find("holds 32 tokens, less than the context of 8192"), std::string::npos)
      << found->warning;
}

TEST(PlanEngine, SaysWhatIsWrong) {
  const auto no_block = plan({.kv_cache_memory_bytes = 1000});
  ASSERT_FALSE(no_block);
  EXPECT_EQ(no_block.error().param, "kv_cache_memory_bytes");
  EXPECT_NE(no_block.error().message.find("hold no block"), std::string::npos);
  const auto too_long = plan({.max_model_len = 10000});
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().message,
            "max_model_len is 10000, but the model was made for 8192 tokens: lower --max-model-len");
  const auto no_memory = plan({}, 64 << 20);
  ASSERT_FALSE(no_memory);
  EXPECT_EQ(no_memory.error().code, ErrorCode::kResourceExhausted);
  const auto unknown = plan({}, 0);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("name the pool's size"), std::string::npos);
  EXPECT_FALSE(plan({.block_size = 24}));
}

TEST(PlanEngine, ANamedPoolIsHeldAgainstWhatIsFree) {
  const auto found = plan({.kv_cache_memory_bytes = 2 * kGib}, kGib);
  ASSERT_TRUE(found) << found.error().message;  // so that it can be shown
  EXPECT_GT(found->memory.total_bytes(), 2 * kGib);
  const auto fits = check_memory(found->memory, kGib);
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(fits.error().param, "kv_cache_memory_bytes");
  EXPECT_NE(fits.error().message.find("1.0 GiB of memory are free"), std::string::npos);
  EXPECT_NE(fits.error().message.find("lower --kv-cache-memory"), std::string::npos);
  const MemoryPlan memory{
      .weight_bytes = 100, .bytes_per_block = 10, .num_blocks = 5, .workspace_bytes = 50};
  EXPECT_TRUE(check_memory(memory, 200));
  EXPECT_FALSE(check_memory(memory, 199));
  EXPECT_TRUE(check_memory(memory, 0));
}

TEST(PlanEngine, TheDefaultPoolFits) {
  const auto found = plan({}, kGib);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(check_memory(found->memory, kGib));
}

TEST(PlanEngine, TheSwapSpaceGetsByWithHalfOfWhatTheRestLeaves) {
  const auto roomy = plan({.max_model_len = 1024, .max_num_seqs = 4, .swap_space = 0.5});
  ASSERT_TRUE(roomy);
  EXPECT_EQ(roomy->memory.num_swap_slots, kGib / 2 / roomy->memory.bytes_per_block);
  EXPECT_EQ(roomy->runner.swap.num_slots, roomy->memory.num_swap_slots);
  EXPECT_FALSE(roomy->memory.swap_limited_by_memory);
  const auto tight = plan({}, 2 * kGib);
  ASSERT_TRUE(tight);
  EXPECT_TRUE(tight->memory.swap_limited_by_memory);
  EXPECT_LE(tight->memory.swap_bytes(), (2 * kGib - tight->memory.total_bytes()) / 2);
  const auto none_left = plan({.kv_cache_memory_bytes = 2 * kGib}, kGib);
  ASSERT_TRUE(none_left);
  EXPECT_EQ(none_left->memory.num_swap_slots, 0);
}

TEST(PlanEngine, ASwapFileIsAsLargeAsNamed) {
  const auto found = plan({.swap_space = 8, .swap_dir = "/tmp"}, kGib);
  const auto without = plan({.swap_space = 0}, kGib);
  const auto recompute = plan({.preemption_mode = "recompute"});
  ASSERT_TRUE(found && without && recompute);
  EXPECT_EQ(found->memory.num_swap_slots, 8 * kGib / found->memory.bytes_per_block);
  EXPECT_EQ(found->memory.workspace_bytes - without->memory.workspace_bytes,
            swap_staging_bytes(found->memory.bytes_per_block));
  EXPECT_EQ(without->memory.num_swap_slots, 0);
  EXPECT_EQ(recompute->memory.num_swap_slots, 0) << "nobody would use it";
}

TEST(PlanEngine, CountsKvBytesByTypeAndBlockSize) {
  const auto half = plan({.max_model_len = 512, .max_num_seqs = 1, .block_size = 64});
  const auto full =
      plan({.max_model_len = 512, .max_num_seqs = 1, .block_size = 64, .kv_cache_dtype = "fp32"});
  ASSERT_TRUE(half && full);
  EXPECT_EQ(half->memory.num_blocks, 8);
  EXPECT_EQ(full->memory.kv_bytes(), 2 * half->memory.kv_bytes());
}

}  // namespace
}  // namespace quire
