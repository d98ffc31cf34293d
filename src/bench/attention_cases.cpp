#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "bench/attention_case.h"
#include "bench/kernel_cases.h"
#include "runtime/cache_engine.h"

namespace quire {
namespace {

// Pairs of a query row and a key that it sees.
double visible_pairs(int32_t num_rows, int32_t context) {
  const double last = context, rows = num_rows;
  return rows * last - rows * (rows - 1) / 2;
}

// What one row of cos and sin does to a head: a rotation, so that repeating it keeps magnitudes.
std::vector<float> rotations(int64_t pairs) {
  std::vector<float> cos_sin;
  for (int64_t i = 0; i < pairs; ++i) cos_sin.insert(cos_sin.end(), {0.8F, 0.6F});
  return cos_sin;
}

}  // namespace

Expected<AttentionCase> KernelBench::attention_case(KvDType dtype, int32_t num_rows, int32_t context_len,
                                                    bool scattered) {
  return make_attention_case(shapes_->config,
                             {.dtype = dtype,
                              .block_size = shapes_->block_size,
                              .num_rows = num_rows,
                              .context_len = context_len,
                              .scattered = scattered},
                             pool_->num_threads(), reinterpret_cast<float*>(buffers_.activations.data()),
                             reinterpret_cast<float*>(buffers_.out.data()));
}

void KernelBench::share_tasks(const AttentionCase& c) {
  pool_->share(std::ssize(c.plan.tasks), 1, [&](int thread, int64_t begin, int64_t end) {
    table_->attention(context(thread), c.args, begin, end);
  });
}

void KernelBench::share_merges(const AttentionCase& c) {
  pool_->share(std::ssize(c.plan.merges), 1, [&](int thread, int64_t begin, int64_t end) {
    table_->attention_merge(context(thread), c.args, begin, end);
  });
}

Expected<RooflineRow> KernelBench::time_attention(KvDType dtype, int32_t num_rows, int32_t context_len,
                                                  bool scattered) {
  auto c = attention_case(dtype, num_rows, context_len, scattered);
  if (!c) return std::unexpected(c.error());
  const Work work{
      .memory_bytes = c->layer_bytes,
      .f32_ops = 4.0 * visible_pairs(num_rows, context_len) * static_cast<double>(c->args.q_stride)};
  return measure(
      *peaks_, *clock_, fmt::format("attention {}", to_string(dtype)),
      fmt::format("{} of {}, blocks {}", num_rows, context_len, scattered ? "scattered" : "in order"), work,
      [&] {
        c->advance();
        share_tasks(*c);
        share_merges(*c);
      });
}

// Memory's own rate for pieces as small as what a block holds of one layer, in the order of the blocks:
// decode attention can come as near to the streaming rate as this does.
Expected<RooflineRow> KernelBench::time_kv_read(KvDType dtype, int32_t context_len, bool scattered) {
  auto c = attention_case(dtype, 1, context_len, scattered);
  if (!c) return std::unexpected(c.error());
  const auto num_blocks = std::ssize(c->blocks);
  const int64_t num_lines = static_cast<int64_t>(c->layer_bytes) / num_blocks / kCacheLine;
  const auto piece = [&](int64_t index) {
    return c->args.kv.keys + c->blocks[static_cast<size_t>(index)] * c->args.kv.block_stride_bytes;
  };
  return measure(*peaks_, *clock_, fmt::format("read KV {}", to_string(dtype)),
                 fmt::format("1 of {}, blocks {}", context_len, scattered ? "scattered" : "in order"),
                 {.memory_bytes = c->layer_bytes}, [&] {
                   c->advance();
                   pool_->share(num_blocks, (num_blocks + 15) / 16, [&](int, int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) {
                       read_lines(piece(i), piece(std::min(i + 1, num_blocks - 1)), num_lines);
                     }
                   });
                 });
}

Expected<> KernelBench::attention_merge(KvDType dtype, int32_t context_len, Report report) {
  const auto c = attention_case(dtype, 1, context_len, false);
  if (!c) return std::unexpected(c.error());
  if (c->plan.merges.empty()) return {};
  share_tasks(*c);  // leaves the partials
  const ModelConfig& config = shapes_->config;
  const auto dim = static_cast<double>(config.head_dim),
             partials = static_cast<double>(c->plan.num_partials);
  const double pairs =
      static_cast<double>(std::ssize(c->plan.merges)) * config.num_heads / config.num_kv_heads;
  const Work work{.cache_bytes = (partials + pairs) * dim * sizeof(float), .f32_ops = 2.0 * partials * dim};
  report(measure(*peaks_, *clock_, "attention_merge",
                 fmt::format("1 of {}, {} partials", context_len, c->plan.num_partials), work,
                 [&] { share_merges(*c); }));
  return {};
}

Expected<RooflineRow> KernelBench::time_rope_kv_write(KvDType dtype, int64_t num_tokens, bool decode) {
  const ModelConfig& config = shapes_->config;
  const int32_t block_size = shapes_->block_size;
  const int64_t num_blocks = decode ? num_tokens : (num_tokens + block_size - 1) / block_size;
  const CacheShape shape = cold_cache_shape(config, dtype, block_size, num_blocks);
  auto cache = CacheEngine::create(shape, static_cast<int32_t>(num_blocks));
  if (!cache) return std::unexpected(cache.error());
  std::memset(cache->layers()[0].keys, 0x11, static_cast<size_t>(shape.bytes_per_block() * num_blocks));
  const int64_t q_width = int64_t{config.num_heads} * config.head_dim;
  const int64_t kv_width = int64_t{config.num_kv_heads} * config.head_dim;
  const int64_t stride = q_width + 2 * kv_width;
  auto* row = reinterpret_cast<float*>(buffers_.out.data());
  std::fill_n(row, num_tokens * stride, 0.5F);
  const std::vector<float> cos_sin = rotations(num_tokens * config.rope_dim / 2);
  std::vector<int64_t> slots(static_cast<size_t>(num_tokens));
  for (int64_t t = 0; t < num_tokens; ++t) slots[static_cast<size_t>(t)] = decode ? t * block_size : t;
  RopeKvArgs args{.q = row,
                  .k = row + q_width,
                  .v = row + q_width + kv_width,
                  .stride = stride,
                  .cos_sin = cos_sin.data(),
                  .slots = slots.data(),
                  .num_tokens = num_tokens,
                  .num_heads = config.num_heads,
                  .rope_dim = config.rope_dim,
                  .interleaved = config.rope_style == RopeStyle::kInterleaved,
                  .kv = cache->layers()[0]};
  const auto tokens = static_cast<double>(num_tokens);
  const auto token_bytes = static_cast<double>(2 * shape.num_kv_heads * shape.part_bytes() / block_size);
  const Work work{.memory_bytes = tokens * token_bytes,
                  .cache_bytes = tokens * static_cast<double>(stride + q_width) * sizeof(float),
                  .f32_ops = 3.0 * tokens * (config.num_heads + config.num_kv_heads) * config.rope_dim};
  size_t layer = 0;
  return measure(*peaks_, *clock_, fmt::format("rope_kv_write {}", to_string(dtype)),
                 fmt::format("{} tokens of {}", num_tokens, decode ? "as many sequences" : "one sequence"),
                 work, [&] {
                   args.kv = cache->layers()[layer];
                   layer = (layer + 1) % cache->layers().size();
                   const int64_t chunk = std::max<int64_t>(1, num_tokens / (pool_->num_threads() * 8));
                   pool_->share(num_tokens, chunk, [&](int thread, int64_t begin, int64_t end) {
                     table_->rope_kv_write(context(thread), args, begin, end);
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
    for (const bool decode : {true, false}) {
      auto row = time_rope_kv_write(dtype, decode ? 16 : 512, decode);
      if (!row) return std::unexpected(row.error());
      report(*row);
    }
    for (const auto [num_rows, context_len] : {Case{1, 256}, {1, 4096}, {512, 512}, {512, 4096}}) {
      for (const bool scattered : {false, true}) {
        auto row = time_attention(dtype, num_rows, context_len, scattered);
        if (!row) return std::unexpected(row.error());
        report(*row);
        if (num_rows > 1) continue;
        auto read = time_kv_read(dtype, context_len, scattered);
        if (!read) return std::unexpected(read.error());
        report(*read);
      }
    }
  }
  return attention_merge(dtypes[0], 4096, report);
}

}  // namespace quire
