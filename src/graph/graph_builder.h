// What a model's traced forward is written against: every call appends one operation and returns its
// symbolic result.
#pragma once

#include <string>

#include "graph/graph.h"

namespace quire {

class GraphBuilder {
 public:
  explicit GraphBuilder(const HeadShape& heads) { graph_.heads = heads; }

  WeightId weight(std::string name, DType dtype, int64_t rows, int64_t cols);

  ValueId embed(WeightId table);
  ValueId rms_norm(ValueId x, WeightId weight, float epsilon);
  ValueId linear(ValueId x, WeightId weight);
  ValueId rope(ValueId x, int32_t heads);
  void kv_write(int32_t layer, ValueId k, ValueId v);
  ValueId kv_read(int32_t layer);
  ValueId attention(int32_t layer, ValueId q, ValueId cache);
  ValueId silu(ValueId x);
  ValueId mul(ValueId a, ValueId b);
  ValueId add(ValueId a, ValueId b);
  ValueId gather_rows(ValueId x);

  Graph finish() && { return std::move(graph_); }

 private:
  const GraphValue& value(ValueId id) const { return graph_.values[static_cast<size_t>(id)]; }
  ValueId append(Op op, GraphValue result);

  Graph graph_;
};

}  // namespace quire
