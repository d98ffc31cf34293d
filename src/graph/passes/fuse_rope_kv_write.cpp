#include "graph/passes/passes.h"

namespace quire {
namespace {

// The rope whose result is `value`, or null.
Op* rope_of(Graph& graph, ValueId value) {
  const int32_t index = graph.producer(value);
  if (index == kNoId || graph.ops[static_cast<size_t>(index)].kind != OpKind::kRope) return nullptr;
  return &graph.ops[static_cast<size_t>(index)];
}

// The rope that makes the q of the attention in `layer`, or null.
Op* query_rope(Graph& graph, int32_t layer) {
  for (const Op& op : graph.ops) {
    if (op.kind == OpKind::kPagedAttention && op.layer == layer) return rope_of(graph, op.inputs[0]);
  }
  return nullptr;
}

}  // namespace

void fuse_rope_kv_write(Graph& graph) {
  for (Op& write : graph.ops) {
    if (write.kind != OpKind::kKvWrite) continue;
    Op* key = rope_of(graph, write.inputs[0]);
    Op* query = query_rope(graph, write.layer);
    if (key == nullptr || query == nullptr || graph.count_uses(key->output) != 1) continue;
    // The kernel takes q, k and v as parts of one row.
    const ValueId storage = graph.root(query->inputs[0]);
    if (graph.root(key->inputs[0]) != storage || graph.root(write.inputs[1]) != storage) continue;
    write = {.kind = OpKind::kRopeKvWrite,
             .inputs = {query->inputs[0], key->inputs[0], write.inputs[1]},
             .output = query->output,
             .layer = write.layer};
    query->output = key->output = kNoId;  // marks them for removal
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kRope && op.output == kNoId; });
}

}  // namespace quire
