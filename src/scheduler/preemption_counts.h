// What preemption has done so far, for metrics and tests.
#pragma once

#include <cstdint>

namespace quire {

struct PreemptionCounts {
  int64_t num_swapped = 0, num_recomputed = 0;  // groups, by what became of their blocks
  int64_t num_blocks_out = 0, num_blocks_in = 0;
  int64_t num_swaps_lost = 0;  // groups that had been swapped out and are computed again after all
  int64_t num_thrashes = 0;    // preemptions of a group that had not got a token since the one before

  int64_t total() const { return num_swapped + num_recomputed; }
};

}  // namespace quire
