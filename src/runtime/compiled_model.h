// A model made ready to run, short of its weights: configuration, graphs, memory plan, and what must be
// packed. Needs the file's directory only, so `quire inspect` answers before anything is loaded.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "config/model_config.h"
#include "graph/plan.h"
#include "kernels/kernel_table.h"
#include "weights/gguf_file.h"
#include "weights/packed_weights.h"

namespace quire {

struct CompileOptions {
  PlanLimits limits;
  bool int8_activations = true;
  bool fuse = true;  // off: the lowered graph as it is, for tests that compare the two
};

struct CompiledModel {
  ModelConfig config;
  Graph traced;                      // as the model wrote it
  Plan plan;                         // what runs
  std::vector<PackRequest> weights;  // by WeightId of the plan; those that no operation uses are empty
};

Expected<CompiledModel> compile_model(const GgufFile& file, const KernelTable& kernels,
                                      const CompileOptions& options);

}  // namespace quire
