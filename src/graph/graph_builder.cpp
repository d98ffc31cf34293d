#include "graph/graph_builder.h"

#include <utility>

#include "base/check.h"

namespace quire {

WeightId GraphBuilder::weight(std::string name, DType dtype, int64_t rows, int64_t cols) {
  return graph_.add_weight({.parts = {std::move(name)}, .dtype = dtype, .rows = rows, .cols = cols});
}

ValueId GraphBuilder::append(Op op, GraphValue result) {
  op.output = graph_.add_value(result);
  graph_.ops.push_back(std::move(op));
  return graph_.ops.back().output;
}

ValueId GraphBuilder::embed(WeightId table) {
  return append({.kind = OpKind::kEmbed, .weight = table},
                {.cols = graph_.weights[static_cast<size_t>(table)].cols});
}

ValueId GraphBuilder::rms_norm(ValueId x, WeightId weight, float epsilon) {
  return append({.kind = OpKind::kRmsNorm, .inputs = {x}, .weight = weight, .epsilon = epsilon},
                {.rows = value(x).rows, .cols = value(x).cols});
}

ValueId GraphBuilder::linear(ValueId x, WeightId weight) {
  const Weight& matrix = graph_.weights[static_cast<size_t>(weight)];
  CHECK(matrix.cols == value(x).cols, "{} has {} columns, its input {}", matrix.parts[0], matrix.cols,
        value(x).cols);
  return append({.kind = OpKind::kLinear, .inputs = {x}, .weight = weight},
                {.rows = value(x).rows, .cols = matrix.rows});
}

ValueId GraphBuilder::rope(ValueId x, int32_t heads) {
  return append({.kind = OpKind::kRope, .inputs = {x}, .heads = heads},
                {.rows = value(x).rows, .cols = value(x).cols, .base = x});
}

void GraphBuilder::kv_write(int32_t layer, ValueId k, ValueId v) {
  graph_.ops.push_back({.kind = OpKind::kKvWrite, .inputs = {k, v}, .layer = layer});
}

ValueId GraphBuilder::kv_read(int32_t layer) {
  return append({.kind = OpKind::kKvRead, .layer = layer}, {});
}

ValueId GraphBuilder::attention(int32_t layer, ValueId q, ValueId cache) {
  return append({.kind = OpKind::kAttention, .inputs = {q, cache}, .layer = layer},
                {.cols = value(q).cols});
}

ValueId GraphBuilder::silu(ValueId x) {
  return append({.kind = OpKind::kSilu, .inputs = {x}}, {.rows = value(x).rows, .cols = value(x).cols});
}

ValueId GraphBuilder::mul(ValueId a, ValueId b) {
  return append({.kind = OpKind::kMul, .inputs = {a, b}}, {.rows = value(a).rows, .cols = value(a).cols});
}

ValueId GraphBuilder::add(ValueId a, ValueId b) {
  return append({.kind = OpKind::kAdd, .inputs = {a, b}}, {.rows = value(a).rows, .cols = value(a).cols});
}

ValueId GraphBuilder::gather_rows(ValueId x) {
  return append({.kind = OpKind::kGatherRows, .inputs = {x}},
                {.rows = Rows::kSelected, .cols = value(x).cols});
}

}  // namespace quire
