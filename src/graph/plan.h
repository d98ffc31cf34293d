// A graph whose every intermediate has a place in one arena, so that a step allocates nothing. Only plans
// execute.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "kernels/kernel_table.h"

namespace quire {

struct PlanLimits {
  int64_t max_tokens = 0;    // T at most
  int64_t max_selected = 0;  // R at most; more rows are done in several runs of the head
};

// Where a value that owns storage lies.
struct Buffer {
  int64_t offset_bytes = 0;  // in the arena, a multiple of kCacheLine
  int64_t size_bytes = 0;
  int64_t stride = 0;  // floats from row to row (kF32)
};

struct Plan {
  Graph graph;
  PlanLimits limits;
  std::vector<Buffer> buffers = {};  // by ValueId; empty (size 0) for views
  int64_t arena_bytes = 0;
  // Operations [0, head_begin) run once a step over all tokens; [head_begin, end) run for each chunk of
  // selected rows.
  int32_t head_begin = 0;

  ValueId logits() const { return graph.ops.back().output; }
};

// First fit by decreasing size over the values' lifetimes. `graph` is lowered.
Plan plan_memory(Graph graph, const PlanLimits& limits, const KernelTable& kernels);

}  // namespace quire
