#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/rng.h"
#include "bench/kernel_cases.h"
#include "runtime/cache_engine.h"

namespace quire {
namespace {

constexpr int64_t kColdKvBytes = 96 << 20;  // keys and values that are rotated through, at least
constexpr int32_t kMaxLayers = 256;

// Blocks of one sequence: in the order of memory, or anywhere, as after hours of serving.
std::vector<int32_t> block_table(int32_t num_blocks, bool scattered) {
  std::vector<int32_t> blocks(static_cast<size_t>(num_blocks));
  std::iota(blocks.begin(), blocks.end(), 0);
  if (!scattered) return blocks;
  Rng rng(1);
  for (size_t i = blocks.size(); i > 1; --i) std::swap(blocks[i - 1], blocks[rng.below(i)]);
  return blocks;
}

// Pairs of a query row and a key that it sees.
double visible_pairs(int32_t num_rows, int32_t context) {
  const double last = context, rows = num_rows;
  return rows * last - rows * (rows - 1) / 2;
}

}  // namespace

Expected<RooflineRow> KernelBench::time_attention(KvDType dtype, int32_t num_rows, int32_t context_len,
                                                  bool scattered) {
  const ModelConfig& config = shapes_->config;
  const AttentionShape heads{config.num_heads, config.num_kv_heads, config.head_dim};
  CacheShape shape{.num_kv_heads = config.num_kv_heads,
                   .head_dim = config.head_dim,
                   .block_size = shapes_->block_size,
                   .dtype = dtype};
  const int32_t num_blocks = (context_len + shape.block_size - 1) / shape.block_size;
  const int64_t layer_bytes = 2 * shape.num_kv_heads * shape.part_bytes() * num_blocks;
  shape.num_layers = static_cast<int32_t>(std::clamp<int64_t>(kColdKvBytes / layer_bytes, 1, kMaxLayers));
  auto cache = CacheEngine::create(shape, num_blocks);
  auto partials = Arena::create(attention_partial_bytes(heads, pool_->num_threads()));
  if (!cache) return std::unexpected(cache.error());
  if (!partials) return std::unexpected(partials.error());
  std::memset(cache->layers()[0].keys, 0x11, static_cast<size_t>(shape.bytes_per_block() * num_blocks));
  const auto blocks = block_table(num_blocks, scattered);
  const std::vector<AttentionSequence> sequences{{0, num_rows, context_len, blocks.data()}};
  AttentionPlan plan;
  plan_attention(heads, sequences, pool_->num_threads(), plan);
  const int64_t width = int64_t{config.num_heads} * config.head_dim;
  AttentionArgs args{.q = reinterpret_cast<float*>(buffers_.activations.data()),
                     .q_stride = width,
                     .out = reinterpret_cast<float*>(buffers_.out.data()),
                     .out_stride = width,
                     .sequences = sequences.data(),
                     .tasks = plan.tasks.data(),
                     .num_tasks = std::ssize(plan.tasks),
                     .merges = plan.merges.data(),
                     .partials = reinterpret_cast<float*>(partials->data()),
                     .num_heads = config.num_heads,
                     .scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim)),
                     .kv = cache->layers()[0]};
  const Work work{.memory_bytes = static_cast<double>(layer_bytes),
                  .f32_ops = 4.0 * visible_pairs(num_rows, context_len) * static_cast<double>(width)};
  size_t layer = 0;
  return measure(
      *peaks_, *clock_, fmt::format("attention {}", to_string(shape.dtype)),
      fmt::format("{} of {}, blocks {}", num_rows, context_len, scattered ? "scattered" : "in order"), work,
      [&] {
        args.kv = cache->layers()[layer];
        layer = (layer + 1) % cache->layers().size();
        pool_->share(std::ssize(plan.tasks), 1, [&](int thread, int64_t begin, int64_t end) {
          table_->attention(context(thread), args, begin, end);
        });
        pool_->share(std::ssize(plan.merges), 1, [&](int thread, int64_t begin, int64_t end) {
          table_->attention_merge(context(thread), args, begin, end);
        });
      });
}

Expected<> KernelBench::attention(Report report) {
  struct Case {
    int32_t num_rows, context_len;
  };
  std::vector<KvDType> dtypes{shapes_->kv_dtype};
  if (dtypes[0] != KvDType::kInt8) dtypes.push_back(KvDType::kInt8);
  for (const KvDType dtype : dtypes) {
    for (const auto [num_rows, context_len] : {Case{1, 256}, {1, 4096}, {512, 512}, {512, 4096}}) {
      for (const bool scattered : {false, true}) {
        auto row = time_attention(dtype, num_rows, context_len, scattered);
        if (!row) return std::unexpected(row.error());
        report(*row);
      }
    }
  }
  return {};
}

}  // namespace quire
