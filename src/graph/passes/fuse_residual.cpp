#include <utility>

#include "graph/passes/passes.h"

namespace quire {
namespace {

// Tries add = linear + residual with the linear's result at input `side`.
bool try_fuse(Graph& graph, size_t add_index, size_t side) {
  Op& add = graph.ops[add_index];
  const ValueId product = add.inputs[side];
  const ValueId residual = add.inputs[1 - side];
  const int32_t index = graph.producer(product);
  if (index == kNoId || graph.count_uses(product) != 1 || product == residual) return false;
  Op& linear = graph.ops[static_cast<size_t>(index)];
  if (linear.kind != OpKind::kLinear || linear.epilogue != Epilogue::kStore) return false;
  // The residual must be a whole buffer, not a part of a fused linear's.
  const GraphValue& storage = graph.values[static_cast<size_t>(graph.root(residual))];
  if (graph.column(residual) != 0 || graph.values[static_cast<size_t>(residual)].cols != storage.cols)
    return false;
  if (graph.used_after(residual, static_cast<int32_t>(add_index))) return false;
  Op fused = {.kind = OpKind::kLinear,
              .inputs = {linear.inputs[0], residual},
              .output = add.output,
              .weight = linear.weight,
              .epilogue = Epilogue::kAdd};
  graph.values[static_cast<size_t>(add.output)].base = residual;
  add = std::move(fused);
  graph.ops.erase(graph.ops.begin() + index);
  return true;
}

}  // namespace

void fuse_residual(Graph& graph) {
  for (size_t i = 0; i < graph.ops.size();) {
    const bool fused =
        graph.ops[i].kind == OpKind::kAdd && (try_fuse(graph, i, 1) || try_fuse(graph, i, 0));
    if (!fused) ++i;
  }
}

}  // namespace quire
