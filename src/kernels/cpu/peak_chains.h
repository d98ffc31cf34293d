// The loop of the probes: independent sums, each changed in turn, so that no latency shows. Included by
// files of every instruction set: internal linkage.
#pragma once

#include "kernels/peak_probes.h"

namespace quire {
namespace {

constexpr int kChains = 12;  // more than latency times units
constexpr int64_t kRounds = 1000;

// step(sum) makes the next sum; it holds what it computes in registers (an empty asm) against reordering.
template <class Sum, class Step>
[[gnu::always_inline]] inline void run_chains(Sum zero, Step step) {
  Sum sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = zero;
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) sums[k] = step(sums[k]);
  }
}

}  // namespace
}  // namespace quire
