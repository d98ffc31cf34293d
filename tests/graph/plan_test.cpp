#include "graph/plan.h"

#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "tensor/arena.h"
#include "tests/graph/graph_fixture.h"

namespace quire {
namespace {

const KernelTable& kernels() { return *kernels_for(Isa::kScalar); }

struct Range {
  int64_t begin;
  int64_t end;
};

Range range_of(const Plan& plan, ValueId id) {
  const Buffer& buffer = plan.buffers[static_cast<size_t>(plan.graph.root(id))];
  return {buffer.offset_bytes, buffer.offset_bytes + buffer.size_bytes};
}

// Replays the plan on paper: every byte remembers which value wrote it last, and every operation must find
// its inputs whole. The head runs twice, as for two chunks of rows.
void expect_no_value_lost(const Plan& plan) {
  std::vector<ValueId> owner(static_cast<size_t>(plan.arena_bytes / kCacheLine), kNoId);
  const auto run = [&](const Op& op) {
    for (const ValueId input : op.inputs) {
      const Range range = range_of(plan, input);
      for (int64_t at = range.begin; at < range.end; at += kCacheLine) {
        ASSERT_EQ(owner[static_cast<size_t>(at / kCacheLine)], plan.graph.root(input))
            << to_string(op.kind);
      }
    }
    for (const ValueId output : {op.output, op.quantized}) {
      if (output == kNoId) continue;
      const Range range = range_of(plan, output);
      ASSERT_LE(range.end, plan.arena_bytes);
      for (int64_t at = range.begin; at < range.end; at += kCacheLine) {
        owner[static_cast<size_t>(at / kCacheLine)] = plan.graph.root(output);
      }
    }
  };
  for (int32_t i = 0; i < plan.head_begin; ++i) run(plan.graph.ops[static_cast<size_t>(i)]);
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t i = static_cast<size_t>(plan.head_begin); i < plan.graph.ops.size(); ++i)
      run(plan.graph.ops[i]);
  }
}

TEST(PlanMemory, NoOperationFindsAnInputOverwritten) {
  for (const bool fused : {false, true}) {
    for (const int64_t tokens : {1, 7, 64, 512}) {
      for (const DType dtype : {DType::kF32, DType::kQ4_1}) {
        Graph graph = trace_decoder({.layers = 3, .dtype = dtype});
        lower(graph, {});
        if (fused) fuse(graph, kernels().row_group);
        expect_no_value_lost(
            plan_memory(std::move(graph), {tokens, std::min<int64_t>(tokens, 4)}, kernels()));
      }
    }
  }
}

TEST(PlanMemory, TakesNoMoreForMoreLayers) {
  int64_t bytes = 0;
  for (const int32_t layers : {1, 2, 16}) {
    Graph graph = trace_decoder({.layers = layers});
    lower(graph, {});
    fuse(graph, kernels().row_group);
    const Plan plan = plan_memory(std::move(graph), {128, 8}, kernels());
    if (bytes != 0) {
      EXPECT_EQ(plan.arena_bytes, bytes);
    }
    bytes = plan.arena_bytes;
  }
}

TEST(PlanMemory, BuffersAreAlignedAndRowsHoldWholeGroups) {
  Graph graph = trace_decoder({.vocab = 91});
  lower(graph, {});
  const Plan plan = plan_memory(std::move(graph), {33, 5}, kernels());
  for (const Buffer& buffer : plan.buffers) EXPECT_EQ(buffer.offset_bytes % kCacheLine, 0);
  const Buffer& logits = plan.buffers[static_cast<size_t>(plan.logits())];
  EXPECT_GE(logits.stride, round_up(91, kernels().row_group));
  EXPECT_GE(logits.size_bytes, 5 * logits.stride * static_cast<int64_t>(sizeof(float)));
}

TEST(PlanMemoryDeathTest, RefusesAGraphThatWasNotLowered) {
  EXPECT_DEATH(plan_memory(trace_decoder(), {16, 1}, kernels()), "has no kernel: lower");
}

}  // namespace
}  // namespace quire
