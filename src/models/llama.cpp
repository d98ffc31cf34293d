#include "models/llama.h"

#include <cmath>
#include <cstring>
#include <string>

#include "models/weight_binder.h"

namespace quire {
namespace {

constexpr const char* kEmbedding = "token_embd.weight";
constexpr const char* kOutput = "output.weight";
constexpr const char* kRopeFactors = "rope_freqs.weight";  // Llama 3.1 and later

Expected<> read_rope_factors(const GgufFile& file, ModelConfig& config) {
  const GgufTensor* tensor = file.find_tensor(kRopeFactors);
  if (tensor == nullptr) return {};
  if (tensor->dtype != DType::kF32 || tensor->rows() != 1 || tensor->cols() != config.rope_dim / 2) {
    return fail(ErrorCode::kCorrupt, "tensor '{}' must be {} f32 values", kRopeFactors,
                config.rope_dim / 2);
  }
  config.rope_factors.resize(static_cast<size_t>(tensor->cols()));
  std::memcpy(config.rope_factors.data(), tensor->bytes.data(), config.rope_factors.size() * sizeof(float));
  for (const float factor : config.rope_factors) {
    if (!std::isfinite(factor) || factor <= 0) {
      return fail(ErrorCode::kCorrupt, "tensor '{}' holds {}, which is no frequency factor", kRopeFactors,
                  factor);
    }
  }
  return {};
}

struct LayerTracer {
  GraphBuilder& build;
  WeightBinder& bind;
  const ModelConfig& config;

  ValueId attention(int32_t layer, const std::string& prefix, ValueId x) const {
    const int64_t q_dim = int64_t{config.num_heads} * config.head_dim;
    const int64_t kv_dim = int64_t{config.num_kv_heads} * config.head_dim;
    const ValueId h = build.rms_norm(x, bind.vector(prefix + "attn_norm.weight", config.hidden_size),
                                     config.norm_epsilon);
    ValueId q = build.linear(h, bind.matrix(prefix + "attn_q.weight", q_dim, config.hidden_size));
    ValueId k = build.linear(h, bind.matrix(prefix + "attn_k.weight", kv_dim, config.hidden_size));
    const ValueId v = build.linear(h, bind.matrix(prefix + "attn_v.weight", kv_dim, config.hidden_size));
    q = build.rope(q, config.num_heads);
    k = build.rope(k, config.num_kv_heads);
    build.kv_write(layer, k, v);
    const ValueId mixed = build.attention(layer, q, build.kv_read(layer));
    return build.linear(mixed, bind.matrix(prefix + "attn_output.weight", config.hidden_size, q_dim));
  }

  ValueId feed_forward(const std::string& prefix, ValueId x) const {
    const ValueId h =
        build.rms_norm(x, bind.vector(prefix + "ffn_norm.weight", config.hidden_size), config.norm_epsilon);
    const ValueId gate = build.linear(
        h, bind.matrix(prefix + "ffn_gate.weight", config.intermediate_size, config.hidden_size));
    const ValueId up = build.linear(
        h, bind.matrix(prefix + "ffn_up.weight", config.intermediate_size, config.hidden_size));
    const ValueId gated = build.mul(build.silu(gate), up);
    return build.linear(
        gated, bind.matrix(prefix + "ffn_down.weight", config.hidden_size, config.intermediate_size));
  }
};

}  // namespace

Expected<> configure_llama(const GgufFile& file, ModelConfig& config) {
  config.rope_style = RopeStyle::kInterleaved;
  config.tied_embeddings = file.find_tensor(kOutput) == nullptr;
  return read_rope_factors(file, config);
}

Expected<Graph> trace_llama(const GgufFile& file, const ModelConfig& config) {
  GraphBuilder build({.num_heads = config.num_heads,
                      .num_kv_heads = config.num_kv_heads,
                      .head_dim = config.head_dim,
                      .rope_dim = config.rope_dim,
                      .rope_interleaved = config.rope_style == RopeStyle::kInterleaved});
  WeightBinder bind(file, build);
  bind.ignore(kRopeFactors);
  const WeightId embedding = bind.matrix(kEmbedding, config.vocab_size, config.hidden_size);
  ValueId x = build.embed(embedding);
  const LayerTracer tracer{build, bind, config};
  for (int32_t layer = 0; layer < config.num_layers; ++layer) {
    const std::string prefix = fmt::format("blk.{}.", layer);
    x = build.add(x, tracer.attention(layer, prefix, x));
    x = build.add(x, tracer.feed_forward(prefix, x));
  }
  x = build.gather_rows(x);
  x = build.rms_norm(x, bind.vector("output_norm.weight", config.hidden_size), config.norm_epsilon);
  const WeightId head =
      config.tied_embeddings ? embedding : bind.matrix(kOutput, config.vocab_size, config.hidden_size);
  build.linear(x, head);
  if (auto bound = bind.finish(); !bound) return std::unexpected(bound.error());
  return std::move(build).finish();
}

}  // namespace quire
