// Where the evaluation's workloads run: on a machine that a cost model stands for, or on this one, with a
// real model. The engine, its scheduler and its memory are the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/trace_run.h"
#include "bench/workload.h"
#include "config/engine_config.h"
#include "memory/allocation_policy.h"
#include "simulate/cost_fit.h"
#include "simulate/cost_model.h"

namespace quire {

inline constexpr int32_t kPaperContext = 2048;  // of OPT, and the largest that a request may ask for

// How one workload is run.
struct PaperSetting {
  AllocationPolicy policy = AllocationPolicy::kPaged;
  int32_t block_size = 16;
  int32_t n = 1;  // parallel samples of each request
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

  // Errors: those of opening the file.
  static Expected<MeasuredMachine> open(const EngineConfig& config);

  Expected<TraceRun> run(const PaperSetting& setting, std::span<const WorkItem> workload) const;

  // Times steps of all kinds: bursts of 1 to 32 requests, one after the other. Takes some seconds.
  Expected<std::vector<TimedStep>> time_steps(bool quick) const;

  // The same machine as a simulation.
  SimulatedMachine simulated(CostModel cost) const;

  int32_t vocab_size() const { return vocab_size_; }
  int32_t num_threads() const { return config_.threads; }
  const std::string& name() const { return name_; }

 private:
  struct Loaded;
  Expected<Loaded> load(const PaperSetting& setting) const;

  EngineConfig config_;
  std::string name_;  // of the model
  int32_t vocab_size_ = 0;
};

}  // namespace quire
