// What it takes to bring a preempted sequence back: its keys and values computed anew, or swapped out of the
// pool and in again, by the size of blocks (Kwon et al. 2023, figure 19).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"
#include "bench/paper_results.h"
#include "bench/swap_timing.h"
#include "simulate/cost_model.h"

namespace quire {

// Of a sequence with so many blocks of such a size.
using TimeSwap = FunctionRef<Expected<SwapTiming>(int32_t block_size, int32_t num_blocks)>;

struct RecoveryCase {
  std::string machine;
  int32_t num_tokens = 0;  // of the sequence
  double recompute_s = 0;  // whatever the size of blocks
};

// A row for each size, which divides the sequence.
Expected<std::vector<RecoveryRow>> compare_recovery(const RecoveryCase& sequence,
                                                    std::span<const int32_t> block_sizes, TimeSwap time);

// Over a link to the host's memory: each block takes a copy of its keys and one of its values for each
// layer, which a link begins one after the other.
struct LinkSpec {
  double bytes_per_s = 0;
  double share = 1;   // of it that copies reach
  double copy_s = 0;  // to begin one
};
SwapTiming link_swap_timing(const LinkSpec& link, const ModelSpec& model, int32_t block_size,
                            int32_t num_blocks);

}  // namespace quire
