#include "graph/graph_builder.h"

#include <gtest/gtest.h>

#include "tests/graph/graph_fixture.h"

namespace quire {
namespace {

TEST(GraphBuilder, TracesInOrderWithShapes) {
  const Graph graph = trace_decoder({.layers = 3});
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kAttention), 3);
  EXPECT_EQ(count_ops(graph, OpKind::kLinear), 3 * 7 + 1);
  const GraphValue& logits = graph.values[static_cast<size_t>(graph.ops.back().output)];
  EXPECT_EQ(logits.cols, 96);
  EXPECT_EQ(logits.rows, Rows::kSelected);
}

TEST(GraphBuilderDeathTest, RefusesALinearOfAnotherWidth) {
  GraphBuilder build({});
  const ValueId x = build.embed(build.weight("e", DType::kF32, 8, 16));
  const WeightId wrong = build.weight("w", DType::kF32, 4, 32);
  EXPECT_DEATH(build.linear(x, wrong), "w has 32 columns, its input 16");
}

}  // namespace
}  // namespace quire
