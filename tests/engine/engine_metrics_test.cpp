#include "engine/engine_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace quire {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kSecond = 1'000'000'000;

class EngineMetricsTest : public testing::Test {
 protected:
  EngineMetricsTest() : group_({.id = 1}, {10, 11, 12, 13}, std::make_shared<SamplingParams>()) {
    group_.times.arrival_ns = 1 * kSecond;
  }

  // One token of the group's only sequence, `now` seconds after the clock's zero.
  void token(int64_t now, int64_t previous = -1) {
    Sequence& sequence = group_.sequences()[0];
    metrics_.token({.group = &group_,
                    .sequence = &sequence,
                    .first_of_group = previous < 0,
                    .previous_ns = previous < 0 ? kNotYet : previous * kSecond},
                   now * kSecond);
    sequence.output.push_back(5);
  }

  MetricsRegistry registry_{"model_name=\"m\""};
  EngineMetrics metrics_{registry_, {.num_blocks = 8, .max_model_len = 100, .enable_prefix_caching = true}};
  SequenceGroup group_;
};

TEST_F(EngineMetricsTest, TheFirstTokenCountsThePromptAndItsTime) {
  token(4);
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:prompt_tokens_total{model_name=\"m\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("vllm:generation_tokens_total{model_name=\"m\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:time_to_first_token_seconds_sum{model_name=\"m\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("vllm:inter_token_latency_seconds_count{model_name=\"m\"} 0\n"));
}

TEST_F(EngineMetricsTest, LaterTokensCountTheirGaps) {
  token(4);
  token(6, 4);
  token(7, 6);
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:prompt_tokens_total{model_name=\"m\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("vllm:inter_token_latency_seconds_sum{model_name=\"m\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("vllm:time_per_output_token_seconds_count{model_name=\"m\"} 2\n"));
}

TEST_F(EngineMetricsTest, AnEndedRequestIsSplitIntoItsPhases) {
  token(4);
  token(9, 4);
  group_.times.first_scheduled_ns = 2 * kSecond;
  group_.times.first_token_ns = 4 * kSecond;
  group_.times.last_token_ns = 9 * kSecond;
  group_.finish(group_.sequences()[0], FinishReason::kLength);
  metrics_.ended(group_, 11 * kSecond);
  const std::string text = registry_.render();
  EXPECT_THAT(text,
              HasSubstr("vllm:request_success_total{model_name=\"m\",finished_reason=\"length\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_success_total{model_name=\"m\",finished_reason=\"stop\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vllm:e2e_request_latency_seconds_sum{model_name=\"m\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_queue_time_seconds_sum{model_name=\"m\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_prefill_time_seconds_sum{model_name=\"m\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_decode_time_seconds_sum{model_name=\"m\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_inference_time_seconds_sum{model_name=\"m\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_generation_tokens_sum{model_name=\"m\"} 2\n"));
}

TEST_F(EngineMetricsTest, AnEndedRequestIsMeasuredByWhatItAskedForAndItsLongestContinuation) {
  SequenceGroup group({.id = 2}, {10},
                      std::make_shared<SamplingParams>(SamplingParams{.n = 2, .max_tokens = 7}));
  group.times = {.arrival_ns = 0, .first_scheduled_ns = 0, .first_token_ns = 1, .last_token_ns = 2};
  group.sequences()[0].output = {5};
  group.sequences()[1].output = {5, 6, 7};
  for (Sequence& sequence : group.sequences()) group.finish(sequence, FinishReason::kStop);
  metrics_.ended(group, 2);
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:request_generation_tokens_sum{model_name=\"m\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_max_num_generation_tokens_sum{model_name=\"m\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_params_max_tokens_sum{model_name=\"m\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_params_n_sum{model_name=\"m\"} 2\n"));
}

TEST_F(EngineMetricsTest, AnAbortedRequestIsCountedButNotTimed) {
  group_.finish(group_.sequences()[0], FinishReason::kAborted);
  metrics_.ended(group_, 11 * kSecond);
  const std::string text = registry_.render();
  EXPECT_THAT(text,
              HasSubstr("vllm:request_success_total{model_name=\"m\",finished_reason=\"abort\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:e2e_request_latency_seconds_count{model_name=\"m\"} 0\n"));
}

TEST_F(EngineMetricsTest, GaugesFollowTheSnapshotAndCountersOnlyGrow) {
  metrics_.refresh({.num_running = 2,
                    .num_waiting = 3,
                    .num_free_blocks = 6,
                    .num_blocks = 8,
                    .kv_slots_allocated = 32,
                    .kv_slots_filled = 30,
                    .num_preemptions = 4});
  metrics_.refresh({.num_free_blocks = 6,
                    .num_blocks = 8,
                    .num_preemptions = 5,
                    .num_tokens_queried = 30,
                    .num_tokens_found = 16});
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:num_requests_running{model_name=\"m\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vllm:kv_cache_usage_perc{model_name=\"m\"} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("vllm:num_preemptions_total{model_name=\"m\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("vllm:prefix_cache_queries_total{model_name=\"m\"} 30\n"));
  EXPECT_THAT(text, HasSubstr("vllm:prefix_cache_hits_total{model_name=\"m\"} 16\n"));
}

TEST_F(EngineMetricsTest, LabelsSayWhatTheCacheIsMadeOf) {
  EXPECT_THAT(registry_.render(),
              HasSubstr("vllm:cache_config_info{model_name=\"m\",block_size=\"16\",num_gpu_blocks=\"8\","
                        "num_cpu_blocks=\"0\",enable_prefix_caching=\"True\"} 1\n"));
}

TEST_F(EngineMetricsTest, PreemptionsAreCountedByWhatFollowed) {
  metrics_.refresh({.num_swapped = 2,
                    .num_blocks = 8,
                    .num_preemptions = 7,
                    .num_swap_slots = 10,
                    .num_free_swap_slots = 4,
                    .preemptions = {.num_swapped = 4,
                                    .num_recomputed = 3,
                                    .num_blocks_out = 20,
                                    .num_blocks_in = 12,
                                    .num_swaps_lost = 1,
                                    .num_thrashes = 6}});
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:num_requests_swapped{model_name=\"m\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vllm:cpu_cache_usage_perc{model_name=\"m\"} 0.6\n"));
  EXPECT_THAT(text, HasSubstr("quire:preemptions_total{model_name=\"m\",recovery=\"swap\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("quire:preemptions_total{model_name=\"m\",recovery=\"recompute\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("quire:swapped_blocks_total{model_name=\"m\",direction=\"out\"} 20\n"));
  EXPECT_THAT(text, HasSubstr("quire:swapped_blocks_total{model_name=\"m\",direction=\"in\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("quire:swaps_lost_total{model_name=\"m\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("quire:preemption_thrashes_total{model_name=\"m\"} 6\n"));
}

TEST_F(EngineMetricsTest, HistogramsOfLengthsEndWithTheContext) {
  const std::string text = registry_.render();
  EXPECT_THAT(text, HasSubstr("vllm:request_prompt_tokens_bucket{model_name=\"m\",le=\"100\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("vllm:request_prompt_tokens_bucket{model_name=\"m\",le=\"200\"}")));
}

}  // namespace
}  // namespace quire
