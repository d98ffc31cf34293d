#include "graph/plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "tensor/arena.h"

namespace quire {
namespace {

// Operations [first, last] during which a value's storage must keep its contents.
struct Lifetime {
  int32_t first = kNoId;
  int32_t last = kNoId;
};

std::vector<Lifetime> lifetimes(const Plan& plan) {
  const Graph& graph = plan.graph;
  std::vector<Lifetime> lives(graph.values.size());
  const auto touch = [&](ValueId id, int32_t op) {
    Lifetime& life = lives[static_cast<size_t>(graph.root(id))];
    if (life.first == kNoId) life.first = op;
    life.last = std::max(life.last, op);
  };
  const auto count = static_cast<int32_t>(graph.ops.size());
  for (int32_t i = 0; i < count; ++i) {
    const Op& op = graph.ops[static_cast<size_t>(i)];
    for (const ValueId input : op.inputs) touch(input, i);
    for (const ValueId output : {op.output, op.quantized}) {
      if (output != kNoId) touch(output, i);
    }
  }
  // The head runs again and again from what the body left; the logits are read after the last operation.
  for (const ValueId input : graph.ops[static_cast<size_t>(plan.head_begin)].inputs) touch(input, count);
  touch(plan.logits(), count);
  return lives;
}

void size_buffers(Plan& plan, const KernelTable& kernels) {
  for (size_t id = 0; id < plan.graph.values.size(); ++id) {
    const GraphValue& value = plan.graph.values[id];
    if (value.base != kNoId || value.cols == 0) continue;
    const int64_t rows = value.rows == Rows::kTokens ? plan.limits.max_tokens : plan.limits.max_selected;
    Buffer& buffer = plan.buffers[id];
    buffer.stride = round_up(value.cols, std::max<int64_t>(kernels.row_group, 16));
    buffer.size_bytes = value.format == ActivationFormat::kInt8
                            ? kernels.activation_bytes(value.format, rows, value.cols)
                            : rows * buffer.stride * static_cast<int64_t>(sizeof(float));
    buffer.size_bytes = round_up(buffer.size_bytes, kCacheLine);
  }
}

void place_buffers(Plan& plan, const std::vector<Lifetime>& lives) {
  std::vector<size_t> order(plan.buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order,
                [&](size_t id) { return plan.buffers[id].size_bytes == 0 || lives[id].first == kNoId; });
  std::ranges::stable_sort(order, std::greater{}, [&](size_t id) { return plan.buffers[id].size_bytes; });
  std::vector<size_t> placed;  // by offset
  for (const size_t id : order) {
    Buffer& buffer = plan.buffers[id];
    int64_t offset = 0;
    for (const size_t other : placed) {
      const bool meet = lives[id].first <= lives[other].last && lives[other].first <= lives[id].last;
      if (!meet) continue;
      if (offset + buffer.size_bytes <= plan.buffers[other].offset_bytes) break;
      offset = std::max(offset, plan.buffers[other].offset_bytes + plan.buffers[other].size_bytes);
    }
    buffer.offset_bytes = offset;
    plan.arena_bytes = std::max(plan.arena_bytes, offset + buffer.size_bytes);
    const auto where = std::ranges::upper_bound(placed, offset, {},
                                                [&](size_t p) { return plan.buffers[p].offset_bytes; });
    placed.insert(where, id);
  }
}

}  // namespace

Plan plan_memory(Graph graph, const PlanLimits& limits, const KernelTable& kernels) {
  Plan plan{.graph = std::move(graph), .limits = limits};
  plan.buffers.resize(plan.graph.values.size());
  const auto gather = std::ranges::find(plan.graph.ops, OpKind::kGatherRows, &Op::kind);
  CHECK(gather != plan.graph.ops.end(), "a graph must select the rows whose logits are wanted");
  for (const Op& op : plan.graph.ops) {
    CHECK(op.kind != OpKind::kAttention && op.kind != OpKind::kKvRead && op.kind != OpKind::kSilu &&
              op.kind != OpKind::kMul,
          "{} has no kernel: lower() the graph first", to_string(op.kind));
  }
  plan.head_begin = static_cast<int32_t>(gather - plan.graph.ops.begin());
  size_buffers(plan, kernels);
  place_buffers(plan, lifetimes(plan));
  return plan;
}

}  // namespace quire
