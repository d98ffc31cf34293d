// The engine's part of /metrics, under the names that vLLM's dashboards query. Registered once; updated by
// the loop thread, read by any.
#pragma once

#include <array>
#include <cstdint>

#include "base/metrics.h"
#include "engine/engine_view.h"
#include "engine/llm_engine.h"
#include "request/sequence_group.h"
#include "scheduler/scheduler.h"

namespace quire {

class EngineMetrics {
 public:
  // `registry` outlives this. `options.max_model_len` bounds the histograms of lengths.
  EngineMetrics(MetricsRegistry& registry, const LLMEngineOptions& options);

  // One step computed so many tokens.
  void step(int64_t num_tokens);
  // A token was sampled.
  void token(const StepEvents::Token& event, int64_t now_ns);
  // A beam search brought all of its tokens at once.
  void searched(const StepEvents::Search& search, int64_t now_ns);
  // A prompt was computed for its embedding.
  void pooled(const SequenceGroup& group);
  // The last sequence of a group ended; the request counts under that sequence's reason.
  void ended(const SequenceGroup& group, int64_t now_ns);
  void refresh(const EngineStats& stats);
  EngineTotals totals() const;

 private:
  void observe_lengths(const SequenceGroup& group);
  void count_preemptions(const EngineStats& stats);

  Gauge &running_, &waiting_, &swapped_, &swap_usage_, &cache_usage_, &gpu_cache_usage_, &slots_allocated_,
      &slots_filled_, &blocks_pinned_;
  Counter &prompt_tokens_, &generation_tokens_, &preemptions_, &prefix_queries_, &prefix_hits_,
      &preemptions_swapped_, &preemptions_recomputed_, &blocks_out_, &blocks_in_, &swaps_lost_, &thrashes_;
  std::array<Counter*, 6> success_;  // by FinishReason, kStop first
  Histogram &time_to_first_token_, &inter_token_, &time_per_output_token_, &latency_, &queue_time_,
      &prefill_time_, &decode_time_, &inference_time_, &prompt_length_, &generation_length_,
      &longest_generation_, &wanted_tokens_, &wanted_continuations_, &iteration_tokens_;
};

}  // namespace quire
