// Cuts the attention of one step into tasks, once a step for all layers. Tasks are many enough to keep all threads busy:
// where there are few rows, a long context is split at chunk boundaries over several tasks and merged. The memory for
// partials is bounded by the plan's limits, not by the context. Results do not depend on the cut (KernelTable).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel_args.h"

namespace quire {

struct AttentionShape {
  int32_t num_heads = 0;
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;
};

// Reused from step to step; allocates nothing once it has grown to the largest step.
struct AttentionPlan {
  std::vector<AttentionTask> tasks;
  std::vector<AttentionMerge> merges;
  int64_t num_partials = 0;
};

// Bytes of AttentionArgs::partials that no plan for this shape and thread count exceeds.
int64_t attention_partial_bytes(const AttentionShape& shape, int num_threads);

void plan_attention(const AttentionShape& shape, std::span<const AttentionSequence> sequences, int num_threads,
                    AttentionPlan& plan);

}  // namespace quire
