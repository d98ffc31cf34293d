#include "graph/passes/passes.h"

namespace quire {

void fuse_norm_quantize(Graph& graph) {
  for (Op& quantize : graph.ops) {
    if (quantize.kind != OpKind::kQuantize) continue;
    const int32_t norm = graph.producer(quantize.inputs[0]);
    if (norm == kNoId || graph.count_uses(quantize.inputs[0]) != 1) continue;
    Op& producer = graph.ops[static_cast<size_t>(norm)];
    if (producer.kind != OpKind::kRmsNorm) continue;
    producer.output = quantize.output;
    quantize.output = kNoId;  // marks it for removal
  }
  std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kQuantize && op.output == kNoId; });
}

}  // namespace quire
