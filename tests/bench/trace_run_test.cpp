#include "bench/trace_run.h"

#include <gtest/gtest.h>

#include <memory>

#include "simulate/cost_model_executor.h"

namespace quire {
namespace {

// The real engine with steps of one second, whatever they hold.
class TraceRunTest : public testing::Test {
 protected:
  Expected<TraceRun> run(AllocationPolicy policy, const std::vector<WorkItem>& items) {
    const LLMEngineOptions options{.num_blocks = 8,
                                   .block_size = 4,
                                   .max_model_len = 32,
                                   .max_num_seqs = 8,
                                   .max_num_batched_tokens = 64,
                                   .max_queue = 64,
                                   .seed = 0,
                                   .allocation = policy,
                                   .expected_output_tokens = 0};
    LLMEngine engine(options, std::make_unique<CostModelExecutor>(model_, clock_), clock_, metrics_);
    SamplingParams params;
    params.ignore_eos = true;
    return run_trace(engine, items, params, clock_,
                     [&](int64_t until_ns) { clock_.advance_ns(until_ns - clock_.now_ns()); });
  }

  const CostModel model_{.name = "", .source = "", .points = {{1, 1.0}}};
  ManualClock clock_;
  MetricsRegistry metrics_{""};
};

TEST_F(TraceRunTest, TimesEveryRequestFromWhenItWasToCome) {
  const auto result = run(AllocationPolicy::kPaged, {{0, {1, 2, 3}, 4}, {0.5, {4, 5}, 2}, {100, {6}, 1}});
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->requests.size(), 3u);
  EXPECT_DOUBLE_EQ(result->requests[0].first_token_s, 1);
  EXPECT_DOUBLE_EQ(result->requests[0].end_s, 4);
  EXPECT_DOUBLE_EQ(result->requests[0].normalized_latency_s(), 1);
  // A newcomer waits for the step under way, and for the one that was planned ahead of it.
  EXPECT_GE(result->requests[1].time_to_first_token_s(), 1.5);
  EXPECT_LE(result->requests[1].time_to_first_token_s(), 2.5);
  EXPECT_DOUBLE_EQ(result->requests[2].end_s, 101);
  EXPECT_DOUBLE_EQ(result->elapsed_s, 101);
}

TEST_F(TraceRunTest, ContextsReservedKeepRequestsWaiting) {
  const std::vector<WorkItem> items(8, {0, {1, 2, 3}, 6});  // 2 blocks, a range of 4, or a context
  const auto paged = run(AllocationPolicy::kPaged, items);
  const auto max = run(AllocationPolicy::kReserveMax, items);
  const auto oracle = run(AllocationPolicy::kReserveOracle, items);
  ASSERT_TRUE(paged && max && oracle);
  EXPECT_LT(paged->elapsed_s, oracle->elapsed_s);
  EXPECT_LT(oracle->elapsed_s, max->elapsed_s);
  EXPECT_GT(max->waiting_s, 0);
  EXPECT_GT(max->waste, oracle->waste);
  EXPECT_GT(oracle->waste, paged->waste);
}

TEST_F(TraceRunTest, SharesOfMemoryAddUpToThePool) {
  const std::vector<WorkItem> items(20, {0, {1, 2, 3}, 6});
  for (const AllocationPolicy policy : kAllocationPolicies) {
    const auto result = run(policy, items);
    ASSERT_TRUE(result);
    const MemoryUse& use = result->memory;
    EXPECT_GT(use.tokens, 0) << to_string(policy);
    EXPECT_NEAR(use.tokens + use.reserved + use.internal + use.external, 1, 1e-9) << to_string(policy);
  }
}

TEST_F(TraceRunTest, MemoryByUse) {
  EngineStats stats;
  stats.num_blocks = 10;
  stats.kv_slots_allocated = 80;
  stats.kv_slots_filled = 70;
  const MemoryUse paged = memory_use(stats, 10);
  EXPECT_DOUBLE_EQ(paged.tokens, 0.7);
  EXPECT_DOUBLE_EQ(paged.internal, 0.1);
  EXPECT_DOUBLE_EQ(paged.external, 0.2);
  stats.kv_slots_filled = 20;
  stats.reserved = {.needed = 30, .asked = 60, .taken = 80};
  const MemoryUse reserved = memory_use(stats, 10);
  EXPECT_DOUBLE_EQ(reserved.tokens, 0.2);
  EXPECT_DOUBLE_EQ(reserved.reserved, 0.1);
  EXPECT_DOUBLE_EQ(reserved.internal, 0.3);
  EXPECT_DOUBLE_EQ(reserved.external, 0.4);
}

}  // namespace
}  // namespace quire
