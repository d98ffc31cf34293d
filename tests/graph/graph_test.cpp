#include "graph/graph.h"

#include <gtest/gtest.h>

#include "tests/graph/graph_fixture.h"

namespace quire {
namespace {

TEST(Graph, ViewsResolveToTheirStorageAndColumn) {
  Graph graph;
  const ValueId whole = graph.add_value({.cols = 100});
  const ValueId part = graph.add_value({.cols = 50, .base = whole, .offset = 40});
  const ValueId inner = graph.add_value({.cols = 10, .base = part, .offset = 7});
  EXPECT_EQ(graph.root(inner), whole);
  EXPECT_EQ(graph.column(inner), 47);
  EXPECT_EQ(graph.column(whole), 0);
}

TEST(Graph, UsesAreFoundThroughViews) {
  Graph graph = trace_decoder({.layers = 1});
  const auto rope = std::ranges::find(graph.ops, OpKind::kRope, &Op::kind);
  const auto index = static_cast<int32_t>(rope - graph.ops.begin());
  EXPECT_EQ(graph.producer(rope->output), index);
  EXPECT_EQ(graph.count_uses(rope->inputs[0]), 1);
  // The attention reads the rotated q, a view of the linear's result.
  EXPECT_TRUE(graph.used_after(rope->inputs[0], index));
  EXPECT_FALSE(graph.used_after(graph.ops.back().output, static_cast<int32_t>(graph.ops.size()) - 1));
}

TEST(Graph, PrintsOneLineAnOperation) {
  const Graph graph = trace_decoder({.layers = 1});
  const std::string text = to_string(graph);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(text, '\n')), graph.ops.size());
  EXPECT_NE(text.find("linear %1  0.q q4_1[64, 64]"), std::string::npos) << text;
  EXPECT_NE(text.find("f32[R, 96]"), std::string::npos) << text;
}

}  // namespace
}  // namespace quire
