// A whole model against the roofline: decoding at several batch sizes, prefill at several lengths,
// through the engine's own step loop.
#pragma once

#include <cstdint>
#include <string>

#include "bench/kernel_cases.h"
#include "bench/local_bench.h"
#include "bench/roofline.h"
#include "engine/memory_plan.h"

namespace quire {

// The model's distinct linears, in the order in which a step runs them.
KernelShapes kernel_shapes(const EnginePlan& plan);

// What one step must do at least: all linears' weights read once, each token's products, and the
// attention of `num_sequences` sequences of which each computes its last `num_tokens` of `context`
// tokens. Logits are made for one token a sequence.
Work step_work(const EnginePlan& plan, int64_t num_sequences, int64_t num_tokens, int64_t context);

struct ModelCase {
  std::string name;
  BatchSpec batch;
  bool decode = false;  // else the prompt counts
};

std::vector<ModelCase> model_cases(const EngineConfig& config);

// `engine` was opened from `plan`. The row's time is that of one token of a sequence, or of the whole
// prompt. Errors: those of time_batch().
Expected<RooflineRow> time_model(LLMEngine& engine, const EnginePlan& plan, const ModelCase& which,
                                 MachinePeaks& peaks, const Clock& clock);

}  // namespace quire
