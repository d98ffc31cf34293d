#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "graph/passes/passes.h"

namespace quire {
namespace {

// attention(q, kv_read(layer)) -> paged_attention(q)
void read_blocks_in_place(Graph& graph) {
  for (Op& op : graph.ops) {
    if (op.kind != OpKind::kAttention) continue;
    op.kind = OpKind::kPagedAttention;
    op.inputs.resize(1);
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kKvRead; });
}

// mul(silu(gate), up) -> silu_mul(gate, up)
void join_activation(Graph& graph) {
  for (Op& op : graph.ops) {
    if (op.kind != OpKind::kMul) continue;
    const int32_t silu = graph.producer(op.inputs[0]);
    CHECK(silu != kNoId && graph.ops[static_cast<size_t>(silu)].kind == OpKind::kSilu &&
              graph.count_uses(op.inputs[0]) == 1,
          "mul is executable only as silu(gate) * up");
    op.kind = OpKind::kSiluMul;
    op.inputs[0] = graph.ops[static_cast<size_t>(silu)].inputs[0];
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kSilu; });
}

void insert_quantize(Graph& graph) {
  std::map<ValueId, ValueId> quantized;  // value -> its int8 form
  std::vector<Op> ops;
  for (Op& op : graph.ops) {
    const bool wants_int8 =
        op.kind == OpKind::kLinear && is_quantized(graph.weights[static_cast<size_t>(op.weight)].dtype);
    if (wants_int8) {
      const ValueId input = op.inputs[0];
      auto [entry, fresh] = quantized.try_emplace(input, kNoId);
      if (fresh) {
        GraphValue value = graph.values[static_cast<size_t>(input)];
        value = {.rows = value.rows, .cols = value.cols, .format = ActivationFormat::kInt8};
        entry->second = graph.add_value(value);
        ops.push_back({.kind = OpKind::kQuantize, .inputs = {input}, .output = entry->second});
      }
      op.inputs[0] = entry->second;
    }
    ops.push_back(std::move(op));
  }
  graph.ops = std::move(ops);
}

}  // namespace

void lower(Graph& graph, const LowerOptions& options) {
  read_blocks_in_place(graph);
  join_activation(graph);
  if (options.int8_activations) insert_quantize(graph);
}

}  // namespace quire
