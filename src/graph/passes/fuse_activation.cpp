#include <algorithm>
#include <vector>

#include "graph/passes/passes.h"

namespace quire {
namespace {

// The plain linear that alone makes `value` for one reader, or null.
Op* sole_linear(Graph& graph, ValueId value) {
  const int32_t index = graph.producer(value);
  if (index == kNoId || graph.count_uses(value) != 1) return nullptr;
  Op& op = graph.ops[static_cast<size_t>(index)];
  return op.kind == OpKind::kLinear && op.epilogue == Epilogue::kStore ? &op : nullptr;
}

}  // namespace

void fuse_activation(Graph& graph, int32_t row_group) {
  for (Op& activation : graph.ops) {
    if (activation.kind != OpKind::kSiluMul) continue;
    Op* gate = sole_linear(graph, activation.inputs[0]);
    Op* up = sole_linear(graph, activation.inputs[1]);
    if (gate == nullptr || up == nullptr || gate->inputs != up->inputs) continue;
    const Weight a = graph.weights[static_cast<size_t>(gate->weight)];
    const Weight b = graph.weights[static_cast<size_t>(up->weight)];
    if (a.dtype != b.dtype || a.rows != b.rows || a.rows % row_group != 0) continue;
    const WeightId paired = graph.add_weight({.parts = {a.parts[0], b.parts[0]},
                                              .dtype = a.dtype,
                                              .rows = 2 * a.rows,
                                              .cols = a.cols,
                                              .paired = true});
    activation = {.kind = OpKind::kLinear,
                  .inputs = gate->inputs,
                  .output = activation.output,
                  .weight = paired,
                  .epilogue = Epilogue::kSiluMul};
    gate->output = up->output = kNoId;  // marks them for removal
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kLinear && op.output == kNoId; });
}

}  // namespace quire
