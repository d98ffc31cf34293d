// Runs a workload through an engine on the calling thread, at the workload's pace: on the machine's clock,
// or on a simulated one, which then moves only as fast as steps are computed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/function_ref.h"
#include "bench/workload.h"
#include "config/sampling_params.h"
#include "engine/llm_engine.h"

namespace quire {

// Of one request, in seconds after the start of the run.
struct RequestTimes {
  double arrival_s = 0;  // when it was to come, whatever the engine was doing
  double first_token_s = 0;
  double end_s = 0;           // of its last continuation
  int32_t output_tokens = 0;  // of each continuation

  double normalized_latency_s() const { return (end_s - arrival_s) / output_tokens; }
  double time_to_first_token_s() const { return first_token_s - arrival_s; }
  // Between tokens; 0 for a single one.
  double time_per_token_s() const {
    return output_tokens > 1 ? (end_s - first_token_s) / (output_tokens - 1) : 0;
  }
};

// What the slots of the KV pool are taken by, as shares of the pool (Kwon et al. 2023, figure 2).
struct MemoryUse {
  double tokens = 0;    // keys and values
  double reserved = 0;  // set aside for tokens that the sequence will have
  double internal = 0;  // set aside, or the rest of a block, and never used
  double external = 0;  // in no range or block although requests wait, or lost to the rounding of ranges
};

MemoryUse memory_use(const EngineStats& stats, int32_t block_size);

struct TraceRun {
  std::vector<RequestTimes> requests;  // in the workload's order
  double elapsed_s = 0;
  // Averages over time.
  double waste = 0;  // slots that hold no token, as a share of the slots that are taken or set aside
  // Blocks saved by sharing, as a share of those that it would take without (Kwon et al. 2023, figure 15):
  // of all blocks at all times together, so that what is held longer, and in greater number, counts more.
  double shared = 0;
  double num_running = 0;  // requests
  MemoryUse memory = {};   // while requests waited; nothing if none ever did
  double waiting_s = 0;    // how long that was
  int64_t num_preemptions = 0;
};

// `clock` is the engine's. `wait_until` returns when it says at least so many nanoseconds. `params` are
// those of all requests but for max_tokens; the engine's queue must hold all requests. The engine's thread
// is not started. kInternal if a request ends otherwise than by its length.
Expected<TraceRun> run_trace(LLMEngine& engine, std::span<const WorkItem> workload,
                             const SamplingParams& params, const Clock& clock,
                             FunctionRef<void(int64_t)> wait_until);

}  // namespace quire
