// Where the evaluation's workloads run: on a machine that a cost model stands for, or on this one, with a
// real model. The engine, its scheduler and its memory are the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/attention_layouts.h"
#include "bench/recovery.h"
#include "bench/trace_run.h"
#include "bench/workload.h"
#include "config/engine_config.h"
#include "memory/allocation_policy.h"
#include "simulate/cost_fit.h"
#include "simulate/cost_model.h"

namespace quire {

inline constexpr int32_t kPaperContext = 2048;    // of OPT, and the largest that a request may ask for
inline constexpr int32_t kRecoveredTokens = 256;  // of the sequence whose recovery is timed

// How one workload is run.
struct PaperSetting {
  AllocationPolicy policy = AllocationPolicy::kPaged;
  int32_t block_size = 16;
  int32_t n = 1;       // sequences of each request: parallel samples, or
  bool beams = false;  // beams that search to the length of the request, however good others are
  bool prefix_cache = false;
  // Of what is measured: more requests than its pool holds, and whoever fits at the moment is let in, so
  // that preemptions are many.
  bool overloaded = false;
  bool swaps = false;  // then recovers them through a swap space in memory, rather than by computing
};

struct SimulatedMachine {
  CostModel cost;
  int32_t pool_tokens = 0;
  int32_t max_num_seqs = 256;
  int32_t max_num_batched_tokens = kPaperContext;
};

// OPT-13B on an A100 of 40 GB, whose 12 GB beside the weights are the pool.
SimulatedMachine paper_machine(int32_t block_size = 16);

// Takes as long as the scheduler does. Only the lengths of prompts count.
Expected<TraceRun> simulate_trace(const SimulatedMachine& machine, const PaperSetting& setting,
                                  std::span<const WorkItem> workload);

// A model file on this machine. Every run loads it anew, so that none finds what another one left.
class MeasuredMachine {
 public:
  // The pool that memory binds in: so many contexts.
  static constexpr int32_t kPoolContexts = 4;
  // The pool of runs that are to preempt, and the largest context there.
  static constexpr int32_t kOverloadedTokens = 1024;

  // Errors: those of opening the file.
  static Expected<MeasuredMachine> open(const EngineConfig& config);

  Expected<TraceRun> run(const PaperSetting& setting, std::span<const WorkItem> workload) const;

  // Times steps of all kinds: bursts of 1 to 32 requests, one after the other. Takes some seconds.
  Expected<std::vector<TimedStep>> time_steps(bool quick) const;

  // Seconds to compute the keys and values of a prompt, and one token: the mean of `count` prompts.
  Expected<double> time_recompute(int32_t num_tokens, int32_t count) const;

  // A sequence's blocks to the swap space and back: in memory, or in a file in `dir`.
  Expected<SwapTiming> time_swap(int32_t block_size, int32_t num_blocks, const std::string& dir) const;

  // One layer's attention, keys and values in fp16.
  Expected<AttentionRow> time_attention(const AttentionSizes& sizes, int32_t block_size) const;

  // The same machine as a simulation.
  SimulatedMachine simulated(CostModel cost) const;

  int32_t vocab_size() const { return model_.vocab_size; }
  int32_t num_threads() const { return config_.threads; }
  const std::string& name() const { return model_.name; }

 private:
  struct Loaded;
  Expected<Loaded> load(const PaperSetting& setting) const;

  EngineConfig config_;
  ModelConfig model_;
  const KernelTable* kernels_ = nullptr;
};

}  // namespace quire
