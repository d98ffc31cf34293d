#include "kernels/peak_probes.h"

namespace quire {
namespace {

constexpr int kChains = 8;
constexpr int64_t kRounds = 2000;

void multiply_add() {
  float sums[kChains] = {};
  float a = 1.5F, b = 0.25F;
  asm volatile("" : "+m"(a), "+m"(b));
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 8
    for (int k = 0; k < kChains; ++k) sums[k] += a * b;
    asm volatile("" : "+m"(a));
  }
  for (float& sum : sums) asm volatile("" : : "m"(sum));
}

constexpr PeakProbe kProbes[] = {
    {"fp32 multiply, add", Arithmetic::kF32, kRounds* kChains * 2, multiply_add}};

}  // namespace

PeakProbeList peak_probes_scalar() { return {kProbes, 1}; }

}  // namespace quire
