#include "bench/attention_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/rng.h"

namespace quire {
namespace {

constexpr int64_t kColdKvBytes = 96 << 20;  // keys and values that are rotated through, at least
constexpr int32_t kMaxLayers = 256;

std::vector<int32_t> block_ids(int32_t num_blocks, bool scattered) {
  std::vector<int32_t> blocks(static_cast<size_t>(num_blocks));
  std::iota(blocks.begin(), blocks.end(), 0);
  if (!scattered) return blocks;
  Rng rng(1);
  for (size_t i = blocks.size(); i > 1; --i) std::swap(blocks[i - 1], blocks[rng.below(i)]);
  return blocks;
}

}  // namespace

void AttentionCase::advance() {
  args.kv = cache.layers()[layer];
  layer = (layer + 1) % cache.layers().size();
}

CacheShape cold_cache_shape(const ModelConfig& config, KvDType dtype, int32_t block_size,
                            int64_t num_blocks) {
  CacheShape shape{.num_kv_heads = config.num_kv_heads,
                   .head_dim = config.head_dim,
                   .block_size = block_size,
                   .dtype = dtype};
  const int64_t layer_bytes = 2 * shape.num_kv_heads * shape.part_bytes() * num_blocks;
  shape.num_layers = static_cast<int32_t>(std::clamp<int64_t>(kColdKvBytes / layer_bytes, 1, kMaxLayers));
  return shape;
}

Expected<AttentionCase> make_attention_case(const ModelConfig& config, const AttentionLoad& load,
                                            int num_threads, const float* q, float* out) {
  const AttentionShape heads{config.num_heads, config.num_kv_heads, config.head_dim};
  const int32_t blocks_each = (load.context_len + load.block_size - 1) / load.block_size;
  const int32_t num_blocks = blocks_each * load.num_sequences;
  const CacheShape shape = cold_cache_shape(config, load.dtype, load.block_size, num_blocks);
  auto cache = CacheEngine::create(shape, num_blocks);
  auto partials = Arena::create(attention_partial_bytes(heads, num_threads));
  if (!cache) return std::unexpected(cache.error());
  if (!partials) return std::unexpected(partials.error());
  std::memset(cache->layers()[0].keys, 0x11, static_cast<size_t>(shape.bytes_per_block() * num_blocks));
  auto blocks = block_ids(num_blocks, load.scattered);
  std::vector<AttentionSequence> sequences;
  for (int32_t i = 0; i < load.num_sequences; ++i) {
    sequences.push_back(
        {i * load.num_rows, load.num_rows, load.context_len, blocks.data() + i * blocks_each});
  }
  AttentionPlan plan;
  plan_attention(heads, sequences, num_threads, plan);
  const int64_t width = int64_t{config.num_heads} * config.head_dim;
  const AttentionArgs args{.q = q,
                           .q_stride = width,
                           .out = out,
                           .out_stride = width,
                           .sequences = sequences.data(),
                           .tasks = plan.tasks.data(),
                           .num_tasks = std::ssize(plan.tasks),
                           .merges = plan.merges.data(),
                           .partials = reinterpret_cast<float*>(partials->data()),
                           .num_heads = config.num_heads,
                           .scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim)),
                           .kv = cache->layers()[0]};
  const auto layer_bytes = static_cast<double>(shape.bytes_per_block() / shape.num_layers * num_blocks);
  return AttentionCase{std::move(*cache),    std::move(*partials), std::move(blocks),
                       std::move(sequences), std::move(plan),      args,
                       layer_bytes};
}

}  // namespace quire
