// How long blocks take to the swap space and back, by SwapSpace itself: checksums and, for a file, the disk
// are in it. What `--preemption-mode auto` weighs against computing as many tokens again.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "runtime/swap_space.h"

namespace quire {

// Of all the blocks of one sequence, which leave together and return together.
struct SwapTiming {
  double out_s = 0;  // until the blocks may be written again
  double in_s = 0;   // until the last one has arrived
};

// Medians of several rounds; the blocks lie anywhere in their pool. `options` says where the swap space is;
// it gets as many slots as it needs. Errors: those of create_swap_space; kInternal if a block was lost.
Expected<SwapTiming> time_swap(const CacheShape& shape, int32_t num_blocks, SwapSpaceOptions options,
                               ThreadPool& pool, const Clock& clock);

}  // namespace quire
