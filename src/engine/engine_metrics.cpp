#include "engine/engine_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace quire {
namespace {

// Dashboards compare histograms across engines, so the bounds are those that vLLM's users know.
constexpr double kFirstTokenBounds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
                                        1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
constexpr double kTokenGapBounds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                      0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
constexpr double kRequestBounds[] = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                     30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
constexpr double kIterationBounds[] = {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};

constexpr double kCountBounds[] = {1, 2, 5, 10, 20};

// 1, 2, 5, 10, 20, 50, ... up to `max`.
std::vector<double> length_bounds(int32_t max) {
  std::vector<double> bounds;
  for (int64_t decade = 1;; decade *= 10) {
    for (const int64_t digit : {1, 2, 5}) {
      if (digit * decade > max) return bounds;
      bounds.push_back(static_cast<double>(digit * decade));
    }
  }
}

double seconds(int64_t from_ns, int64_t to_ns) { return static_cast<double>(to_ns - from_ns) * 1e-9; }

}  // namespace

EngineMetrics::EngineMetrics(MetricsRegistry& registry, const LLMEngineOptions& options)
    : running_(registry.gauge("vllm:num_requests_running", "Requests that are being computed.")),
      waiting_(registry.gauge("vllm:num_requests_waiting", "Requests that wait to be computed.")),
      swapped_(registry.gauge("vllm:num_requests_swapped",
                              "Requests that wait with their keys and values in the swap space.")),
      swap_usage_(registry.gauge("vllm:cpu_cache_usage_perc",
                                 "Share of the swap space's room for blocks in use, 0 to 1.")),
      cache_usage_(
          registry.gauge("vllm:kv_cache_usage_perc", "Share of the KV cache's blocks in use, 0 to 1.")),
      gpu_cache_usage_(registry.gauge("vllm:gpu_cache_usage_perc", "The same, under its older name.")),
      slots_allocated_(registry.gauge("quire:kv_slots_allocated", "Token slots in taken KV blocks.")),
      slots_filled_(
          registry.gauge("quire:kv_slots_filled", "Token slots in taken KV blocks that hold a token.")),
      blocks_pinned_(registry.gauge("quire:kv_blocks_pinned", "KV blocks that pinned prefixes hold.")),
      prompt_tokens_(
          registry.counter("vllm:prompt_tokens_total", "Prompt tokens of requests that were prefilled.")),
      generation_tokens_(registry.counter("vllm:generation_tokens_total", "Tokens generated.")),
      preemptions_(
          registry.counter("vllm:num_preemptions_total", "Times a request gave up its blocks for others.")),
      prefix_queries_(registry.counter("vllm:prefix_cache_queries_total",
                                       "Prompt tokens that were looked up in the prefix cache.")),
      prefix_hits_(registry.counter("vllm:prefix_cache_hits_total",
                                    "Prompt tokens whose keys and values the prefix cache had.")),
      preemptions_swapped_(registry.counter("quire:preemptions_total",
                                            "The same, by what became of its keys and values.",
                                            "recovery=\"swap\"")),
      preemptions_recomputed_(registry.counter("quire:preemptions_total",
                                               "The same, by what became of its keys and values.",
                                               "recovery=\"recompute\"")),
      blocks_out_(
          registry.counter("quire:swapped_blocks_total", "KV blocks swapped.", "direction=\"out\"")),
      blocks_in_(registry.counter("quire:swapped_blocks_total", "KV blocks swapped.", "direction=\"in\"")),
      swaps_lost_(registry.counter("quire:swaps_lost_total",
                                   "Swapped requests that were computed again after all: the swap space "
                                   "failed, or a step did.")),
      thrashes_(
          registry.counter("quire:preemption_thrashes_total",
                           "Preemptions of a request that had not got a token since the one before.")),
      time_to_first_token_(registry.histogram("vllm:time_to_first_token_seconds",
                                              "From arrival to the first token.", kFirstTokenBounds)),
      inter_token_(registry.histogram("vllm:inter_token_latency_seconds",
                                      "Gaps between the tokens of a continuation.", kTokenGapBounds)),
      time_per_output_token_(registry.histogram("vllm:time_per_output_token_seconds",
                                                "The same, under its older name.", kTokenGapBounds)),
      latency_(registry.histogram("vllm:e2e_request_latency_seconds", "From arrival to the end.",
                                  kRequestBounds)),
      queue_time_(registry.histogram("vllm:request_queue_time_seconds", "From arrival to the first step.",
                                     kRequestBounds)),
      prefill_time_(registry.histogram("vllm:request_prefill_time_seconds",
                                       "From the first step to the first token.", kRequestBounds)),
      decode_time_(registry.histogram("vllm:request_decode_time_seconds",
                                      "From the first token to the last.", kRequestBounds)),
      inference_time_(registry.histogram("vllm:request_inference_time_seconds",
                                         "From the first step to the last token.", kRequestBounds)),
      prompt_length_(registry.histogram("vllm:request_prompt_tokens", "Prompt tokens of a request.",
                                        length_bounds(options.max_model_len))),
      generation_length_(registry.histogram("vllm:request_generation_tokens",
                                            "Tokens generated for a request.",
                                            length_bounds(options.max_model_len))),
      longest_generation_(registry.histogram("vllm:request_max_num_generation_tokens",
                                             "Tokens of a request's longest continuation.",
                                             length_bounds(options.max_model_len))),
      wanted_tokens_(registry.histogram("vllm:request_params_max_tokens",
                                        "Tokens that each continuation of a request might have.",
                                        length_bounds(options.max_model_len))),
      wanted_continuations_(registry.histogram("vllm:request_params_n",
                                               "Continuations that a request asked for.", kCountBounds)),
      iteration_tokens_(registry.histogram("vllm:iteration_tokens_total", "Tokens computed in a step.",
                                           kIterationBounds)) {
  const std::array<const char*, 6> reasons{"stop", "length", "abort", "error", "timeout", "dead_end"};
  for (size_t i = 0; i < reasons.size(); ++i) {
    success_[i] = &registry.counter("vllm:request_success_total", "Requests that ended, by reason.",
                                    fmt::format("finished_reason=\"{}\"", reasons[i]));
  }
  registry
      .gauge("vllm:cache_config_info", "What the KV cache is made of, in its labels.",
             fmt::format("block_size=\"{}\",num_gpu_blocks=\"{}\",num_cpu_blocks=\"{}\","
                         "enable_prefix_caching=\"{}\"",
                         options.block_size, options.num_blocks, options.num_swap_slots,
                         options.enable_prefix_caching ? "True" : "False"))
      .set(1);
}

void EngineMetrics::step(int64_t num_tokens) { iteration_tokens_.observe(static_cast<double>(num_tokens)); }

void EngineMetrics::token(const StepEvents::Token& event, int64_t now_ns) {
  generation_tokens_.add();
  if (event.first_of_group) {
    prompt_tokens_.add(event.group->num_prompt_tokens());
    time_to_first_token_.observe(seconds(event.group->times.arrival_ns, now_ns));
  }
  if (event.previous_ns == kNotYet) return;
  const double gap = seconds(event.previous_ns, now_ns);
  inter_token_.observe(gap);
  time_per_output_token_.observe(gap);
}

void EngineMetrics::searched(const StepEvents::Search& search, int64_t now_ns) {
  for (const auto& hypothesis : search.best) generation_tokens_.add(std::ssize(hypothesis.tokens));
  prompt_tokens_.add(search.group->num_prompt_tokens());
  time_to_first_token_.observe(seconds(search.group->times.arrival_ns, now_ns));
}

void EngineMetrics::pooled(const SequenceGroup& group) { prompt_tokens_.add(group.num_prompt_tokens()); }

void EngineMetrics::ended(const SequenceGroup& group, int64_t now_ns) {
  const FinishReason reason = group.finish_reason();
  success_[static_cast<size_t>(reason) - static_cast<size_t>(FinishReason::kStop)]->add();
  if (reason != FinishReason::kStop && reason != FinishReason::kLength) return;
  const GroupTimes& times = group.times;
  if (times.first_token_ns == kNotYet) return;  // the consumer finished it before it began
  latency_.observe(seconds(times.arrival_ns, now_ns));
  queue_time_.observe(seconds(times.arrival_ns, times.first_scheduled_ns));
  prefill_time_.observe(seconds(times.first_scheduled_ns, times.first_token_ns));
  decode_time_.observe(seconds(times.first_token_ns, times.last_token_ns));
  inference_time_.observe(seconds(times.first_scheduled_ns, times.last_token_ns));
  observe_lengths(group);
}

void EngineMetrics::observe_lengths(const SequenceGroup& group) {
  size_t generated = 0, longest = 0;
  for (const Sequence& sequence : group.sequences()) {
    generated += sequence.output.size();
    longest = std::max(longest, sequence.output.size());
  }
  prompt_length_.observe(group.num_prompt_tokens());
  generation_length_.observe(static_cast<double>(generated));
  longest_generation_.observe(static_cast<double>(longest));
  wanted_tokens_.observe(group.params()->max_tokens);
  wanted_continuations_.observe(group.params()->n);
}

void EngineMetrics::count_preemptions(const EngineStats& stats) {
  const auto raise = [](Counter& counter, int64_t value) { counter.add(value - counter.value()); };
  raise(preemptions_, stats.num_preemptions);
  raise(preemptions_swapped_, stats.preemptions.num_swapped);
  raise(preemptions_recomputed_, stats.preemptions.num_recomputed);
  raise(thrashes_, stats.preemptions.num_thrashes);
}

void EngineMetrics::refresh(const EngineStats& stats) {
  running_.set(stats.num_running);
  waiting_.set(stats.num_waiting);
  const double used = static_cast<double>(stats.num_blocks - stats.num_free_blocks) / stats.num_blocks;
  cache_usage_.set(used);
  gpu_cache_usage_.set(used);
  slots_allocated_.set(static_cast<double>(stats.kv_slots_allocated));
  slots_filled_.set(static_cast<double>(stats.kv_slots_filled));
  blocks_pinned_.set(stats.num_pinned_blocks);
  swapped_.set(stats.num_swapped);
  prefix_queries_.add(stats.num_tokens_queried - prefix_queries_.value());
  prefix_hits_.add(stats.num_tokens_found - prefix_hits_.value());
  if (stats.num_preemptions != preemptions_.value()) count_preemptions(stats);
  if (stats.num_swap_slots == 0) return;
  blocks_out_.add(stats.preemptions.num_blocks_out - blocks_out_.value());
  blocks_in_.add(stats.preemptions.num_blocks_in - blocks_in_.value());
  swaps_lost_.add(stats.preemptions.num_swaps_lost - swaps_lost_.value());
  swap_usage_.set(static_cast<double>(stats.num_swap_slots - stats.num_free_swap_slots) /
                  stats.num_swap_slots);
}

EngineTotals EngineMetrics::totals() const {
  return {.prompt_tokens = prompt_tokens_.value(),
          .generation_tokens = generation_tokens_.value(),
          .first_token_sum = time_to_first_token_.sum(),
          .token_gap_sum = inter_token_.sum(),
          .num_first_tokens = time_to_first_token_.count(),
          .num_token_gaps = inter_token_.count()};
}

}  // namespace quire
