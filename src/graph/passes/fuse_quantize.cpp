#include "graph/passes/passes.h"
#include "tensor/dtype_layout.h"

namespace quire {
namespace {

// Pieces must be whole blocks: attention is cut by KV heads. Linears are cut so by the plan executor.
bool makes_whole_blocks(const Graph& graph, const Op& op) {
  if (op.kind == OpKind::kLinear) return op.epilogue != Epilogue::kAdd;
  if (op.kind != OpKind::kPagedAttention) return false;
  const HeadShape& heads = graph.heads;
  return heads.num_heads / heads.num_kv_heads * heads.head_dim % kQuantBlock == 0;
}

}  // namespace

void fuse_quantize(Graph& graph) {
  for (Op& quantize : graph.ops) {
    if (quantize.kind != OpKind::kQuantize) continue;
    const int32_t index = graph.producer(quantize.inputs[0]);
    if (index == kNoId || graph.count_uses(quantize.inputs[0]) != 1) continue;
    Op& producer = graph.ops[static_cast<size_t>(index)];
    if (!makes_whole_blocks(graph, producer)) continue;
    producer.quantized = quantize.output;
    quantize.output = kNoId;  // marks it for removal
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kQuantize && op.output == kNoId; });
}

}  // namespace quire
