#include "bench/serve_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace quire {
namespace {

using testing::HasSubstr;

RequestRecord answered(double ttft_s, double e2el_s, int64_t input_tokens, int64_t output_tokens) {
  RequestRecord record;
  record.ok = true;
  record.ttft_s = ttft_s;
  record.e2el_s = e2el_s;
  record.input_tokens = input_tokens;
  record.output_tokens = output_tokens;
  record.itl_s.assign(static_cast<size_t>(output_tokens - 1),
                      (e2el_s - ttft_s) / static_cast<double>(output_tokens - 1));
  return record;
}

LoadResult two_answers_and_a_failure() {
  LoadResult result;
  result.model = "m";
  result.records = {answered(0.1, 1.1, 10, 11), answered(0.3, 2.3, 30, 21), RequestRecord{}};
  result.records[2].error = "503: draining";
  result.duration_s = 4;
  result.peak_concurrency = 3;
  result.kv_waste = 0.025;
  return result;
}

const LatencySummary& latency(const ServeReport& report, std::string_view key) {
  return *std::find_if(report.latencies.begin(), report.latencies.end(),
                       [&](const auto& l) { return l.key == key; });
}

TEST(ServeReport, ComputesRatesAndLatencies) {
  const ServeReport report = summarize(two_answers_and_a_failure(), {}, {50, 99});
  EXPECT_EQ(report.completed, 2);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(report.total_input_tokens, 40);
  EXPECT_EQ(report.total_output_tokens, 32);
  EXPECT_DOUBLE_EQ(report.request_throughput, 0.5);
  EXPECT_DOUBLE_EQ(report.output_throughput, 8);
  EXPECT_DOUBLE_EQ(report.total_token_throughput, 18);
  EXPECT_FALSE(report.request_goodput);
  EXPECT_NEAR(latency(report, "ttft").mean, 200, 1e-9);
  EXPECT_NEAR(latency(report, "tpot").mean, 100, 1e-9);  // (1.1 - 0.1) / 10 and (2.3 - 0.3) / 20
  EXPECT_NEAR(latency(report, "itl").percentiles[1], 100, 1e-9);
  EXPECT_NEAR(latency(report, "e2el").median, 1700, 1e-9);
  EXPECT_NEAR(latency(report, "normalized_latency").mean, (100 + 2300.0 / 21) / 2, 1e-9);
}

TEST(ServeReport, GoodputCountsWhatMeetsEveryObjective) {
  const auto objectives = parse_objectives({"ttft:200", "tpot:101"});
  ASSERT_TRUE(objectives);
  const ServeReport report = summarize(two_answers_and_a_failure(), *objectives, {99});
  ASSERT_TRUE(report.request_goodput);
  EXPECT_DOUBLE_EQ(*report.request_goodput, 0.25);
}

TEST(ServeReport, RefusesOddObjectives) {
  for (const char* word : {"ttft", "ttft:", "ttft:x", "ttft:-1", "ttft:5ms", "fps:60", ":1", ""}) {
    EXPECT_FALSE(parse_objectives({word})) << word;
  }
}

TEST(ServeReport, JsonHasTheKeysOfVllm) {
  const LoadResult result = two_answers_and_a_failure();
  const ServeReport report = summarize(result, parse_objectives({"e2el:5000"}).value(), {99, 99.9});
  RunDescription run{.date = "d", .endpoint = "/v1/completions", .model = "m", .workload = {}};
  run.workload.num_prompts = 3;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  const std::string text = to_json(report, run, &result);
  ASSERT_EQ(parser.parse(text).get(json), simdjson::SUCCESS) << text;
  for (const char* key : {"date",
                          "model_id",
                          "num_prompts",
                          "request_rate",
                          "burstiness",
                          "duration",
                          "completed",
                          "total_input_tokens",
                          "total_output_tokens",
                          "request_throughput",
                          "request_goodput",
                          "output_throughput",
                          "total_token_throughput",
                          "mean_ttft_ms",
                          "median_ttft_ms",
                          "std_ttft_ms",
                          "p99_ttft_ms",
                          "p99.9_ttft_ms",
                          "mean_tpot_ms",
                          "p99_tpot_ms",
                          "mean_itl_ms",
                          "p99_itl_ms",
                          "mean_e2el_ms",
                          "p99_e2el_ms",
                          "median_normalized_latency_ms",
                          "kv_waste_percent",
                          "input_lens",
                          "output_lens",
                          "ttfts",
                          "itls",
                          "errors"}) {
    EXPECT_EQ(json[key].error(), simdjson::SUCCESS) << key;
  }
  EXPECT_EQ(json["request_rate"].get_string().value(), "inf");
  EXPECT_DOUBLE_EQ(json["kv_waste_percent"].get_double().value(), 2.5);
  EXPECT_EQ(json["errors"].at(2).get_string().value(), "503: draining");
}

TEST(ServeReport, TextTellsFailures) {
  const std::string text = to_text(summarize(two_answers_and_a_failure(), {}, {50, 90, 99}));
  EXPECT_THAT(text, HasSubstr("Failed requests"));
  EXPECT_THAT(text, HasSubstr("failed: 503: draining"));
  EXPECT_THAT(text, HasSubstr("Normalized latency"));
  EXPECT_THAT(text, HasSubstr("p90"));
}

TEST(ServeReport, NothingAnsweredIsAllZeros) {
  const ServeReport report = summarize(LoadResult{}, {}, {99});
  EXPECT_EQ(report.completed, 0);
  EXPECT_EQ(report.request_throughput, 0);
  EXPECT_EQ(latency(report, "ttft").percentiles[0], 0);
}

}  // namespace
}  // namespace quire
