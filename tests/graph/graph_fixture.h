// A small decoder traced by hand: what the passes are tried on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "graph/graph_builder.h"

namespace quire {

struct DecoderSpec {
  int32_t layers = 2;
  int64_t hidden = 64;
  int32_t heads = 4;
  int32_t kv_heads = 2;
  int32_t head_dim = 16;
  int64_t ff = 128;
  int64_t vocab = 96;
  DType dtype = DType::kQ4_1;
};

inline Graph trace_decoder(const DecoderSpec& spec = {}) {
  GraphBuilder build({spec.heads, spec.kv_heads, spec.head_dim, spec.head_dim, true});
  const auto matrix = [&](const std::string& name, int64_t rows, int64_t cols) {
    return build.weight(name, spec.dtype, rows, cols);
  };
  const auto norm = [&](const std::string& name) {
    return build.weight(name, DType::kF32, 1, spec.hidden);
  };
  const int64_t q_dim = int64_t{spec.heads} * spec.head_dim,
                kv_dim = int64_t{spec.kv_heads} * spec.head_dim;
  const WeightId embedding = matrix("embedding", spec.vocab, spec.hidden);
  ValueId x = build.embed(embedding);
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    const std::string p = std::to_string(layer) + ".";
    ValueId h = build.rms_norm(x, norm(p + "attn_norm"), 1e-5F);
    const ValueId q = build.rope(build.linear(h, matrix(p + "q", q_dim, spec.hidden)), spec.heads);
    const ValueId k = build.rope(build.linear(h, matrix(p + "k", kv_dim, spec.hidden)), spec.kv_heads);
    build.kv_write(layer, k, build.linear(h, matrix(p + "v", kv_dim, spec.hidden)));
    const ValueId mixed = build.attention(layer, q, build.kv_read(layer));
    x = build.add(x, build.linear(mixed, matrix(p + "o", spec.hidden, q_dim)));
    h = build.rms_norm(x, norm(p + "ffn_norm"), 1e-5F);
    const ValueId gate = build.linear(h, matrix(p + "gate", spec.ff, spec.hidden));
    const ValueId up = build.linear(h, matrix(p + "up", spec.ff, spec.hidden));
    x = build.add(x,
                  build.linear(build.mul(build.silu(gate), up), matrix(p + "down", spec.hidden, spec.ff)));
  }
  x = build.rms_norm(build.gather_rows(x), norm("output_norm"), 1e-5F);
  build.linear(x, embedding);
  return std::move(build).finish();
}

inline int64_t count_ops(const Graph& graph, OpKind kind) {
  return std::ranges::count(graph.ops, kind, &Op::kind);
}

inline int64_t count_epilogues(const Graph& graph, Epilogue epilogue) {
  return std::ranges::count_if(
      graph.ops, [&](const Op& op) { return op.kind == OpKind::kLinear && op.epilogue == epilogue; });
}

// Every operation reads only what an earlier one made.
inline bool is_ordered(const Graph& graph) {
  std::vector<bool> made(graph.values.size(), false);
  for (const Op& op : graph.ops) {
    for (const ValueId input : op.inputs) {
      if (!made[static_cast<size_t>(graph.root(input))]) return false;
    }
    for (const ValueId output : {op.output, op.quantized}) {
      if (output != kNoId) made[static_cast<size_t>(graph.root(output))] = true;
    }
  }
  return true;
}

}  // namespace quire
