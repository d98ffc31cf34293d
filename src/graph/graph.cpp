#include "graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace quire {
namespace {

std::string shape_of(const Graph& graph, ValueId id) {
  const GraphValue& value = graph.values[static_cast<size_t>(id)];
  return fmt::format("{}[{}, {}]", value.format == ActivationFormat::kInt8 ? "int8" : "f32",
                     value.rows == Rows::kTokens ? "T" : "R", value.cols);
}

std::string weight_text(const Weight& weight) {
  std::string names;
  for (const auto& part : weight.parts) {
    if (!names.empty()) names += weight.paired ? " | " : " + ";
    names += part;
  }
  return fmt::format("{} {}[{}, {}]", names, to_string(weight.dtype), weight.rows, weight.cols);
}

}  // namespace

std::string_view to_string(OpKind kind) {
  switch (kind) {
    case OpKind::kEmbed: return "embed";
    case OpKind::kRmsNorm: return "rms_norm";
    case OpKind::kQuantize: return "quantize";
    case OpKind::kLinear: return "linear";
    case OpKind::kRope: return "rope";
    case OpKind::kKvWrite: return "kv_write";
    case OpKind::kKvRead: return "kv_read";
    case OpKind::kAttention: return "attention";
    case OpKind::kPagedAttention: return "paged_attention";
    case OpKind::kRopeKvWrite: return "rope_kv_write";
    case OpKind::kSilu: return "silu";
    case OpKind::kMul: return "mul";
    case OpKind::kSiluMul: return "silu_mul";
    case OpKind::kAdd: return "add";
    case OpKind::kGatherRows: return "gather_rows";
  }
  return "unknown";
}

ValueId Graph::add_value(GraphValue value) {
  values.push_back(value);
  return static_cast<ValueId>(values.size()) - 1;
}

WeightId Graph::add_weight(Weight weight) {
  weights.push_back(std::move(weight));
  return static_cast<WeightId>(weights.size()) - 1;
}

ValueId Graph::root(ValueId id) const {
  while (values[static_cast<size_t>(id)].base != kNoId) id = values[static_cast<size_t>(id)].base;
  return id;
}

int64_t Graph::column(ValueId id) const {
  int64_t column = 0;
  for (; id != kNoId; id = values[static_cast<size_t>(id)].base)
    column += values[static_cast<size_t>(id)].offset;
  return column;
}

int Graph::count_uses(ValueId id) const {
  int uses = 0;
  for (const Op& op : ops) uses += static_cast<int>(std::ranges::count(op.inputs, id));
  return uses;
}

int32_t Graph::producer(ValueId id) const {
  const auto op = std::ranges::find(ops, id, &Op::output);
  return op == ops.end() ? kNoId : static_cast<int32_t>(op - ops.begin());
}

bool Graph::used_after(ValueId id, int32_t op) const {
  const ValueId storage = root(id);
  return std::any_of(ops.begin() + op + 1, ops.end(), [&](const Op& later) {
    return std::ranges::any_of(later.inputs, [&](ValueId input) { return root(input) == storage; });
  });
}

std::string to_string(const Graph& graph) {
  std::string out;
  auto sink = std::back_inserter(out);
  for (const Op& op : graph.ops) {
    if (op.output != kNoId) fmt::format_to(sink, "%{:<4} {:<14} ", op.output, shape_of(graph, op.output));
    if (op.output == kNoId) fmt::format_to(sink, "{:<20} ", "");
    fmt::format_to(sink, "= {}", to_string(op.kind));
    for (const ValueId input : op.inputs) fmt::format_to(sink, " %{}", input);
    if (op.epilogue == Epilogue::kAdd) fmt::format_to(sink, " +=");
    if (op.epilogue == Epilogue::kSiluMul) fmt::format_to(sink, " silu_mul");
    if (op.quantized != kNoId) fmt::format_to(sink, " quantized as %{}", op.quantized);
    if (op.layer != kNoId) fmt::format_to(sink, " layer={}", op.layer);
    if (op.weight != kNoId)
      fmt::format_to(sink, "  {}", weight_text(graph.weights[static_cast<size_t>(op.weight)]));
    out += '\n';
  }
  return out;
}

}  // namespace quire
