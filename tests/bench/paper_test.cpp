// The evaluation's simulations, at the paper's scale but for fewer requests.
#include "bench/paper.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

using enum AllocationPolicy;

const MemoryRow& row_of(const std::vector<MemoryRow>& rows, AllocationPolicy policy) {
  for (const MemoryRow& row : rows) {
    if (row.policy == policy) return row;
  }
  return rows.front();
}

// Kwon et al. 2023, section 6.2: the waste of vLLM is 3.7%.
TEST(Paper, PagingWastesAtMostTwoAndAHalfPercent) {
  const auto rows = simulate_memory(paper_machine(), kShareGpt, 4, 300, 0);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_LE(row_of(*rows, kPaged).waste, 0.025);
  EXPECT_GT(row_of(*rows, kPaged).use.tokens, 0.9);
}

TEST(Paper, TheMoreIsReservedTheFewerTokensThePoolHolds) {
  const auto rows = simulate_memory(paper_machine(), kShareGpt, 4, 300, 0);
  ASSERT_TRUE(rows) << rows.error().message;
  const AllocationPolicy order[] = {kPaged, kReserveOracle, kReservePow2, kReserveMax};
  for (size_t i = 1; i < std::size(order); ++i) {
    EXPECT_GT(row_of(*rows, order[i - 1]).use.tokens, row_of(*rows, order[i]).use.tokens)
        << to_string(order[i]);
  }
  EXPECT_NEAR(row_of(*rows, kReserveMax).use.external, 1 - 7 * 2048 / 15360.0, 0.01)
      << "7 contexts of 2,048 in 15,360";
  EXPECT_DOUBLE_EQ(row_of(*rows, kReserveOracle).use.internal, 0);
}

TEST(Paper, PagingSustainsMoreThanAnyRival) {
  const auto set =
      simulate_curves(paper_machine(), kShareGpt, {}, {.trace_s = 120, .factor = 1.5, .most = 20}, 0);
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->curves.size(), 4u);
  EXPECT_GT(set->rate_against(kReserveOracle).value_or(0), 1.2);
  EXPECT_GT(set->rate_against(kReserveMax).value_or(0), *set->rate_against(kReserveOracle));
  for (const PolicyCurve& curve : set->curves) EXPECT_FALSE(curve.sustained.is_lower_bound);
}

// Kwon et al. 2023, section 6.3: parallel sampling saves 6.1% to 9.8% on Alpaca, 16.2% to 30.5% on
// ShareGPT.
TEST(Paper, ParallelSamplesShareTheirPrompts) {
  for (const auto& [trace, least] : {std::pair(kAlpaca, 0.061), {kShareGpt, 0.162}}) {
    const auto rows = simulate_sharing(paper_machine(), trace, false, 1, 300, 0);
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->size(), 3u);
    EXPECT_GT(rows->front().saved, least) << trace.name;
    EXPECT_GT(rows->back().saved, rows->front().saved) << "more sequences share more";
  }
}

// The same: beam search saves 37.6% to 55.2% on Alpaca, 44.3% to 66.3% on ShareGPT.
TEST(Paper, BeamsShareWhatTheySaidToo) {
  for (const auto& [trace, least] : {std::pair(kAlpaca, 0.376), {kShareGpt, 0.443}}) {
    const auto rows = simulate_sharing(paper_machine(), trace, true, 1, 300, 0);
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->size(), 3u);
    EXPECT_EQ(rows->front().method, "beam");
    EXPECT_GT(rows->front().saved, least) << trace.name;
    EXPECT_GT(rows->back().saved, rows->front().saved) << "more beams share more";
  }
}

TEST(Paper, BlocksOfMiddleSizeAreBest) {
  const auto rows = simulate_block_sizes(kAlpaca, 50, 60, 0);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 9u);
  for (size_t i = 1; i < rows->size(); ++i) EXPECT_GT((*rows)[i].waste, (*rows)[i - 1].waste);
  EXPECT_GT(rows->back().normalized_latency_s, 2 * (*rows)[4].normalized_latency_s);
}

// Kwon et al. 2023, section 7.3: recomputing wins with small blocks, swapping with large ones.
TEST(Paper, SmallBlocksAreBetterRecomputed) {
  const auto rows = simulate_recovery(256);
  ASSERT_TRUE(rows) << rows.error().message;
  const auto swap_s = [](const RecoveryRow& row) { return row.swap_out_s + row.swap_in_s; };
  EXPECT_GT(swap_s(rows->front()), rows->front().recompute_s);
  EXPECT_LT(swap_s(rows->back()), rows->back().recompute_s);
}

// Kwon et al. 2023, section 6.4: 1.67x the throughput of Orca (Oracle) with one example, 3.58x with five.
TEST(Paper, APrefixOfAllIsComputedAndStoredOnce) {
  const CurvePace pace{.trace_s = 60, .factor = 1.5, .most = 20};
  double least = 1;
  for (const int32_t prefix_len : {80, 341}) {
    const auto set = simulate_curves(paper_machine(), translation(prefix_len), {}, pace, 0);
    ASSERT_TRUE(set) << set.error().message;
    ASSERT_EQ(set->curves.size(), 5u);
    EXPECT_TRUE(set->curves.back().prefix_cache);
    EXPECT_GT(set->prefix_cache_speedup().value_or(0), least) << prefix_len;
    least = *set->prefix_cache_speedup();
  }
}

TEST(Paper, TheSameSeedGivesTheSameCurves) {
  const CurvePace pace{.trace_s = 30, .factor = 2, .most = 6};
  const auto first = simulate_curves(paper_machine(), kAlpaca, {.n = 2}, pace, 5);
  const auto second = simulate_curves(paper_machine(), kAlpaca, {.n = 2}, pace, 5);
  ASSERT_TRUE(first && second);
  for (size_t i = 0; i < first->curves.size(); ++i) {
    EXPECT_EQ(first->curves[i].sustained.rate, second->curves[i].sustained.rate);
  }
}

TEST(Paper, WithoutAModelEverythingIsSimulated) {
  PaperOptions options;
  options.quick = true;
  options.measure = false;
  std::vector<std::string> stages;
  const auto results = run_paper(
      options, [&](const StageProgress& stage) { stages.push_back(stage.name); }, ManualClock());
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_FALSE(stages.empty());
  EXPECT_EQ(results->costs.size(), 1u);
  EXPECT_EQ(results->memory.size(), 2 * kAllocationPolicies.size());
  EXPECT_EQ(results->block_sizes.size(), 2 * 9u);
  EXPECT_EQ(results->sharing.size(), 2 * 2 * 3u);
  EXPECT_EQ(results->recovery.size(), 9u);
  for (const CurveSet& set : results->curves) EXPECT_FALSE(set.measured);
}

}  // namespace
}  // namespace quire
