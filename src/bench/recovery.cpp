#include "bench/recovery.h"

#include "base/check.h"

namespace quire {
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

SwapTiming link_swap_timing(const LinkSpec& link, const ModelSpec& model, int32_t block_size,
                            int32_t num_blocks) {
  const double bytes = model.kv_bytes_per_token * block_size * num_blocks;
  const double copies = 2.0 * model.num_layers * num_blocks;
  const double seconds = bytes / (link.bytes_per_s * link.share) + copies * link.copy_s;
  return {.out_s = seconds, .in_s = seconds};
}

}  // namespace quire
