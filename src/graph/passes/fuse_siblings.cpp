#include <utility>
#include <vector>

#include "graph/passes/passes.h"

namespace quire {
namespace {

bool may_join(const Graph& graph, const Op& first, const Op& other, int32_t row_group) {
  if (other.kind != OpKind::kLinear || other.epilogue != Epilogue::kStore || other.inputs != first.inputs)
    return false;
  const Weight& a = graph.weights[static_cast<size_t>(first.weight)];
  const Weight& b = graph.weights[static_cast<size_t>(other.weight)];
  return !a.paired && !b.paired && a.dtype == b.dtype && a.rows % row_group == 0 && b.rows % row_group == 0;
}

}  // namespace

void fuse_siblings(Graph& graph, int32_t row_group) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (graph.ops[i].kind != OpKind::kLinear || graph.ops[i].epilogue != Epilogue::kStore) continue;
    std::vector<size_t> siblings;
    for (size_t j = i; j < graph.ops.size(); ++j) {
      if (may_join(graph, graph.ops[i], graph.ops[j], row_group)) siblings.push_back(j);
    }
    if (siblings.size() < 2) continue;
    Weight stacked = {.dtype = graph.weights[static_cast<size_t>(graph.ops[i].weight)].dtype,
                      .cols = graph.weights[static_cast<size_t>(graph.ops[i].weight)].cols};
    GraphValue whole = {.rows = graph.values[static_cast<size_t>(graph.ops[i].output)].rows};
    const ValueId whole_id = graph.add_value(whole);
    for (const size_t j : siblings) {
      Op& op = graph.ops[j];
      const Weight& part = graph.weights[static_cast<size_t>(op.weight)];
      stacked.parts.insert(stacked.parts.end(), part.parts.begin(), part.parts.end());
      GraphValue& view = graph.values[static_cast<size_t>(op.output)];
      view.base = whole_id;
      view.offset = stacked.rows;
      stacked.rows += part.rows;
      op.output = j == i ? whole_id : kNoId;
    }
    graph.values[static_cast<size_t>(whole_id)].cols = stacked.rows;
    graph.ops[i].weight = graph.add_weight(std::move(stacked));
    std::erase_if(graph.ops, [](const Op& op) { return op.kind == OpKind::kLinear && op.output == kNoId; });
  }
}

}  // namespace quire
