#include "graph/passes/passes.h"

#include <gtest/gtest.h>

#include "tests/graph/graph_fixture.h"

namespace quire {
namespace {

Graph lowered(const DecoderSpec& spec = {}) {
  Graph graph = trace_decoder(spec);
  lower(graph, {});
  return graph;
}

TEST(Lower, LeavesOnlyOperationsThatHaveKernels) {
  const Graph graph = lowered();
  EXPECT_TRUE(is_ordered(graph));
  for (const OpKind gone : {OpKind::kAttention, OpKind::kKvRead, OpKind::kSilu, OpKind::kMul}) {
    EXPECT_EQ(count_ops(graph, gone), 0) << to_string(gone);
  }
  EXPECT_EQ(count_ops(graph, OpKind::kPagedAttention), 2);
  EXPECT_EQ(count_ops(graph, OpKind::kSiluMul), 2);
}

TEST(Lower, QuantizesAnInputOnceForAllItsReaders) {
  // A layer has four inputs of linears (q k v share one, gate and up another); the head has one.
  EXPECT_EQ(count_ops(lowered(), OpKind::kQuantize), 2 * 4 + 1);
}

TEST(Lower, DoesNotQuantizeForFloatWeightsOrWhenAskedNotTo) {
  EXPECT_EQ(count_ops(lowered({.dtype = DType::kBF16}), OpKind::kQuantize), 0);
  Graph graph = trace_decoder();
  lower(graph, {.int8_activations = false});
  EXPECT_EQ(count_ops(graph, OpKind::kQuantize), 0);
}

TEST(FuseNormQuantize, JoinsNormsThatFeedOnlyAQuantize) {
  Graph graph = lowered();
  fuse_norm_quantize(graph);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kQuantize), 2 * 2);  // of the attention's and the activation's results
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kRmsNorm) continue;
    EXPECT_EQ(graph.values[static_cast<size_t>(op.output)].format, ActivationFormat::kInt8);
  }
}

TEST(FuseNormQuantize, KeepsANormThatSomethingElseReads) {
  GraphBuilder build({});
  const ValueId x = build.embed(build.weight("e", DType::kQ4_0, 32, 32));
  const ValueId h = build.rms_norm(x, build.weight("n", DType::kF32, 1, 32), 1e-5F);
  const ValueId y = build.linear(h, build.weight("w", DType::kQ4_0, 32, 32));
  build.linear(build.gather_rows(build.add(y, h)), build.weight("o", DType::kQ4_0, 32, 32));
  Graph graph = std::move(build).finish();
  lower(graph, {});
  const auto before = count_ops(graph, OpKind::kQuantize);
  fuse_norm_quantize(graph);
  EXPECT_EQ(count_ops(graph, OpKind::kQuantize), before);
}

TEST(FuseActivation, PairsGateAndUp) {
  Graph graph = lowered();
  fuse_activation(graph, 8);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kSiluMul), 0);
  EXPECT_EQ(count_epilogues(graph, Epilogue::kSiluMul), 2);
  const auto op = std::ranges::find(graph.ops, Epilogue::kSiluMul, &Op::epilogue);
  const Weight& weight = graph.weights[static_cast<size_t>(op->weight)];
  EXPECT_TRUE(weight.paired);
  EXPECT_EQ(weight.rows, 256);
  EXPECT_EQ(weight.parts, (std::vector<std::string>{"0.gate", "0.up"}));
  EXPECT_EQ(graph.values[static_cast<size_t>(op->output)].cols, 128);
}

TEST(FuseActivation, NeedsWholeRowGroups) {
  Graph graph = lowered({.ff = 96});
  fuse_activation(graph, 64);
  EXPECT_EQ(count_epilogues(graph, Epilogue::kSiluMul), 0);
}

TEST(FuseSiblings, StacksQueryKeyValueAsViewsOfOneResult) {
  Graph graph = lowered();
  fuse_activation(graph, 8);
  fuse_siblings(graph, 8);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kLinear), 2 * 4 + 1);  // qkv, o, gate|up, down
  const auto op = std::ranges::find(graph.ops, OpKind::kLinear, &Op::kind);
  const Weight& weight = graph.weights[static_cast<size_t>(op->weight)];
  EXPECT_EQ(weight.parts, (std::vector<std::string>{"0.q", "0.k", "0.v"}));
  EXPECT_EQ(weight.rows, 64 + 32 + 32);
  const auto write = std::ranges::find(graph.ops, OpKind::kKvWrite, &Op::kind);
  EXPECT_EQ(graph.root(write->inputs[0]), op->output);
  EXPECT_EQ(graph.column(write->inputs[0]), 64);
  EXPECT_EQ(graph.column(write->inputs[1]), 96);
}

TEST(FuseSiblings, LeavesLinearsOfDifferentInputsAlone) {
  GraphBuilder build({});
  const ValueId x = build.embed(build.weight("e", DType::kF32, 32, 32));
  const ValueId a = build.linear(x, build.weight("a", DType::kF32, 32, 32));
  const ValueId b = build.linear(a, build.weight("b", DType::kF32, 32, 32));
  build.linear(build.gather_rows(b), build.weight("o", DType::kF32, 32, 32));
  Graph graph = std::move(build).finish();
  fuse_siblings(graph, 8);
  EXPECT_EQ(count_ops(graph, OpKind::kLinear), 3);
}

TEST(FuseResidual, AddsInPlace) {
  Graph graph = lowered();
  fuse_residual(graph);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kAdd), 0);
  EXPECT_EQ(count_epilogues(graph, Epilogue::kAdd), 4);
  const ValueId embedded = graph.ops.front().output;
  for (const Op& op : graph.ops) {
    if (op.epilogue == Epilogue::kAdd) {
      EXPECT_EQ(graph.root(op.output), embedded);
    }
  }
}

TEST(FuseResidual, KeepsAResidualThatIsReadLater) {
  GraphBuilder build({});
  const ValueId x = build.embed(build.weight("e", DType::kF32, 32, 32));
  const ValueId y = build.add(x, build.linear(x, build.weight("w", DType::kF32, 32, 32)));
  const ValueId z = build.add(x, y);  // x again, after the add
  build.linear(build.gather_rows(z), build.weight("o", DType::kF32, 32, 32));
  Graph graph = std::move(build).finish();
  fuse_residual(graph);
  EXPECT_EQ(count_ops(graph, OpKind::kAdd), 2);
}

TEST(FuseRopeKvWrite, NeedsPartsOfOneRow) {
  Graph apart = lowered();
  fuse_rope_kv_write(apart);
  EXPECT_EQ(count_ops(apart, OpKind::kRopeKvWrite), 0);
  Graph graph = lowered();
  fuse_siblings(graph, 8);
  fuse_rope_kv_write(graph);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kRopeKvWrite), 2);
  EXPECT_EQ(count_ops(graph, OpKind::kRope), 0);
  EXPECT_EQ(count_ops(graph, OpKind::kKvWrite), 0);
}

TEST(FuseQuantize, LeavesItToWhateverMakesTheValue) {
  Graph graph = lowered();
  fuse_norm_quantize(graph);
  fuse_activation(graph, 8);
  fuse_quantize(graph);
  EXPECT_TRUE(is_ordered(graph));
  EXPECT_EQ(count_ops(graph, OpKind::kQuantize), 0);
  for (const Op& op : graph.ops) {
    const bool quantizes = op.kind == OpKind::kPagedAttention || op.epilogue == Epilogue::kSiluMul;
    ASSERT_EQ(op.quantized != kNoId, quantizes) << to_string(op.kind);
    if (!quantizes) continue;
    const GraphValue& value = graph.values[static_cast<size_t>(op.quantized)];
    EXPECT_EQ(value.format, ActivationFormat::kInt8);
    EXPECT_EQ(value.cols, graph.values[static_cast<size_t>(op.output)].cols);
  }
}

TEST(FuseQuantize, NeedsWholeBlocksAndOneReader) {
  Graph narrow = trace_decoder();
  narrow.heads = {.num_heads = 4, .num_kv_heads = 4, .head_dim = 16, .rope_dim = 16};
  lower(narrow, {});
  fuse_quantize(narrow);
  for (const Op& op : narrow.ops) {
    if (op.kind == OpKind::kPagedAttention) {
      EXPECT_EQ(op.quantized, kNoId);
    }
  }
  GraphBuilder build({});
  const ValueId x = build.embed(build.weight("e", DType::kQ4_0, 32, 32));
  const ValueId y = build.linear(x, build.weight("a", DType::kQ4_0, 32, 32));
  const ValueId z = build.add(y, build.linear(y, build.weight("b", DType::kQ4_0, 32, 32)));
  build.linear(build.gather_rows(z), build.weight("o", DType::kQ4_0, 32, 32));
  Graph graph = std::move(build).finish();
  lower(graph, {});
  const auto before = count_ops(graph, OpKind::kQuantize);
  fuse_quantize(graph);  // y is read by the add too, x comes from no linear
  EXPECT_EQ(count_ops(graph, OpKind::kQuantize), before);
}

TEST(Fuse, LeavesEightOperationsALayer) {
  Graph graph = lowered({.layers = 5});
  fuse(graph, 8);
  EXPECT_TRUE(is_ordered(graph));
  // A layer: norm, qkv, rope+write, attention, o; norm, gate|up, down. Around them: embed; gather, norm,
  // head.
  EXPECT_EQ(graph.ops.size(), 1U + 5 * 8 + 3);
}

}  // namespace
}  // namespace quire
