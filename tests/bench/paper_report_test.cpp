#include "bench/paper_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using testing::HasSubstr;
using testing::Not;
using enum AllocationPolicy;

PolicyCurve curve_of(AllocationPolicy policy, double rate) {
  return {.policy = policy, .points = {{.rate = rate, .normalized_latency_s = 0.1}}, .sustained = {rate}};
}

PaperResults sample_results() {
  PaperResults results;
  results.costs.push_back({.model = opt_13b_on_a100(16)});
  results.curves.push_back(
      {.machine = "there",
       .workload = "ShareGPT",
       .measured = false,
       .n = 1,
       .limit_s = 0.2,
       .curves = {curve_of(kPaged, 3), curve_of(kReserveMax, 0.5), curve_of(kReserveOracle, 1.5)}});
  results.curves.push_back({.machine = "here",
                            .workload = "ShareGPT / 4",
                            .measured = true,
                            .n = 1,
                            .limit_s = 0.05,
                            .curves = {curve_of(kPaged, 5), curve_of(kReserveMax, 2)}});
  results.memory.push_back({.machine = "there",
                            .workload = "ShareGPT",
                            .policy = kPaged,
                            .rate = 6,
                            .use = {.tokens = 0.97, .reserved = 0, .internal = 0.02, .external = 0.01},
                            .waste = 0.0175,
                            .num_running = 27});
  results.sharing.push_back({.machine = "there",
                             .workload = "ShareGPT",
                             .method = "parallel",
                             .width = 2,
                             .rate = 1,
                             .saved = 0.25});
  results.block_sizes.push_back(
      {.machine = "there", .workload = "ShareGPT", .block_size = 16, .normalized_latency_s = 0.1});
  results.sharing.push_back(
      {.machine = "there", .workload = "ShareGPT", .method = "beam", .width = 2, .rate = 1, .saved = 0.5});
  CurveSet translations{.machine = "there",
                        .workload = "translation, prefix of 341",
                        .limit_s = 0.1,
                        .curves = {curve_of(kPaged, 10), curve_of(kPaged, 40)}};
  translations.curves[1].prefix_cache = true;
  results.curves.push_back(std::move(translations));
  results.recovery.push_back({.machine = "there",
                              .block_size = 8,
                              .num_tokens = 256,
                              .recompute_s = 0.04,
                              .swap_out_s = 0.01,
                              .swap_in_s = 0.02});
  results.preemption.push_back({.machine = "there",
                                .workload = "a burst",
                                .block_size = 8,
                                .swaps = true,
                                .elapsed_s = 2,
                                .normalized_latency_s = 0.125,
                                .num_preemptions = 7});
  results.attention.push_back({.num_sequences = 8,
                               .context_len = 1024,
                               .block_size = 16,
                               .paged_s = 2.06e-4,
                               .contiguous_s = 2e-4});
  return results;
}

TEST(PaperReport, ThePrefixCachesSpeedupIsTheMeasuredOne) {
  PaperResults results = sample_results();
  EXPECT_EQ(headlines(results).back().name, "shared_prefix_speedup");
  EXPECT_DOUBLE_EQ(headlines(results).back().value, 4);
  EXPECT_THAT(headlines(results).back().workload, HasSubstr("simulated"));
  results.prefix_speedup = {.machine = "here", .workload = "as many", .rate_on = 10, .rate_off = 2};
  EXPECT_DOUBLE_EQ(headlines(results).back().value, 5);
  EXPECT_THAT(to_json(results), HasSubstr(R"("rate_off":2)"));
}

TEST(PaperReport, WhatWasMeasuredGoesBeforeWhatWasSimulated) {
  const auto found = headlines(sample_results());
  ASSERT_EQ(found.size(), 6u) << "nothing was found about reserve-pow2";
  EXPECT_EQ(found[0].name, "waste_pct");
  EXPECT_DOUBLE_EQ(found[0].value, 1.75);
  EXPECT_EQ(found[1].name, "rate_vs_reserve_max");
  EXPECT_DOUBLE_EQ(found[1].value, 2.5);
  EXPECT_THAT(found[1].workload, HasSubstr("measured"));
  EXPECT_EQ(found[2].name, "rate_vs_reserve_oracle");
  EXPECT_DOUBLE_EQ(found[2].value, 2);
  EXPECT_THAT(found[2].workload, HasSubstr("simulated"));
}

TEST(PaperReport, ABoundOfARivalsRateIsNoComparison) {
  PaperResults results = sample_results();
  results.curves[1].curves[1].sustained.is_lower_bound = true;
  EXPECT_DOUBLE_EQ(headlines(results)[1].value, 6) << "the simulated one instead";
  EXPECT_FALSE(results.curves[1].rate_against(kReserveMax));
}

TEST(PaperReport, JsonHasEveryResult) {
  const std::string json = to_json(sample_results());
  for (const char* part :
       {R"("waste_pct":1.75)", R"("rate_vs_reserve_max":2.5)", R"("rate_vs_reserve_oracle":2)",
        R"("workloads":{"waste_pct":"ShareGPT, there, blocks of 16, 6.00 requests/s")",
        R"("sustained_rate":0.5)", R"("parallel_saved_pct":25)", R"("saved_pct":25)", R"("external_pct":1)",
        R"("block_size":16)", R"("pair_s":)", R"("beam_saved_pct":50)", R"("shared_prefix_speedup":4)",
        R"("swap_in_s":0.02)", R"("recovery":"swap")", R"("contiguous_s":0.0002)",
        R"("name":"paged, prefix cache")"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
  EXPECT_THAT(json, Not(HasSubstr("rate_vs_reserve_pow2")));
}

TEST(PaperReport, TheTableSetsRivalsBesidePaging) {
  const std::string table = to_table(sample_results());
  for (const char* part : {"rate_vs_reserve_max         2.50   ShareGPT / 4, here, measured",
                           "reserve-max                 0.500   paged is 6.00x", "97.0",
                           "OPT-13B on an A100", "256 tokens in blocks of 8: 40.00 ms, or 10.00 + 20.00 ms",
                           "7 preemptions by swap in 2.0 s", "+3.0%"}) {
    EXPECT_THAT(table, HasSubstr(part));
  }
}

TEST(PaperReport, FiguresThatCannotBeDrawnAreAnError) {
  const auto drawn = draw_figures(sample_results(), "/nonexistent/folder");
  ASSERT_FALSE(drawn);  // whether Python or the folder is what is missing
  EXPECT_THAT(drawn.error().message,
              testing::AnyOf(HasSubstr("matplotlib"), HasSubstr("/nonexistent/folder")));
}

}  // namespace
}  // namespace quire
