#include "bench/recovery.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int64_t kOthersBytes = 64 << 20;  // that other sequences have, at least
constexpr int32_t kFewestSequences = 4, kMostSequences = 64;
constexpr int kCopyRounds = 3;

}  // namespace

Expected<std::vector<RecoveryRow>> compare_recovery(const RecoveryCase& sequence,
                                                    std::span<const int32_t> block_sizes, TimeSwap time) {
  std::vector<RecoveryRow> rows;
  for (const int32_t block_size : block_sizes) {
    CHECK(sequence.num_tokens % block_size == 0, "{} tokens in blocks of {}", sequence.num_tokens,
          block_size);
    const auto swap = time(block_size, sequence.num_tokens / block_size);
    if (!swap) return std::unexpected(swap.error());
    rows.push_back({.machine = sequence.machine,
                    .block_size = block_size,
                    .num_tokens = sequence.num_tokens,
                    .recompute_s = sequence.recompute_s,
                    .swap_out_s = swap->out_s,
                    .swap_in_s = swap->in_s});
  }
  return rows;
}

SwapTimes link_swap_times(const LinkSpec& link, const ModelSpec& model, int32_t block_size,
                          int32_t num_blocks) {
  const double bytes = model.kv_bytes_per_token * block_size * num_blocks;
  const double copies = 2.0 * model.num_layers * num_blocks;
  const double seconds = bytes / (link.bytes_per_s * link.share) + copies * link.copy_s;
  return {.out_s = seconds, .in_s = seconds};
}

// The pool is the first half of one cache, the memory beside it the second. Block i of the pool's sequence s
// is i * num_sequences + s, so that a sequence lies nowhere together.
Expected<SwapTimes> time_copies(const CacheShape& shape, int32_t num_blocks, ThreadPool& pool,
                                const Clock& clock) {
  const int64_t sequence_bytes = shape.bytes_per_block() * num_blocks;
  const auto num_sequences = static_cast<int32_t>(
      std::clamp<int64_t>(kOthersBytes / sequence_bytes, kFewestSequences, kMostSequences));
  const int32_t half = num_sequences * num_blocks;
  auto cache = CacheEngine::create(shape, 2 * half);
  if (!cache) return std::unexpected(cache.error());
  std::memset(cache->layers()[0].keys, 0x11, static_cast<size_t>(shape.bytes_per_block() * 2 * half));
  std::vector<BlockCopy> copies(static_cast<size_t>(num_blocks));
  std::vector<double> out_s, in_s;
  for (int i = 0; i < kCopyRounds * 2 * num_sequences; ++i) {
    const int32_t sequence = i % num_sequences;
    const bool is_out = i / num_sequences % 2 == 0;
    for (int32_t block = 0; block < num_blocks; ++block) {
      const BlockId here = block * num_sequences + sequence, there = half + sequence * num_blocks + block;
      copies[static_cast<size_t>(block)] = {.source = is_out ? here : there,
                                            .target = is_out ? there : here};
    }
    const int64_t start_ns = clock.now_ns();
    cache->copy(copies, pool);
    (is_out ? out_s : in_s).push_back(static_cast<double>(clock.now_ns() - start_ns) * 1e-9);
  }
  return SwapTimes{.out_s = percentile(out_s, 50), .in_s = percentile(in_s, 50)};
}

}  // namespace quire
