#include "kernels/peak_probes.h"

#include <immintrin.h>

namespace quire {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units
constexpr int64_t kRounds = 1000;

void dot_int8() {
  __m512i a = _mm512_set1_epi8(3);
  __m512i sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = _mm512_setzero_si512();
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      sums[k] = _mm512_dpbusd_epi32(sums[k], a, a);
      asm volatile("" : "+v"(sums[k]));
    }
  }
}

constexpr PeakProbe kProbes[] = {
    {"VNNI int8 dpbusd", Arithmetic::kInt8, kRounds* kChains * 2 * 64, dot_int8}};

}  // namespace

PeakProbeList peak_probes_vnni() { return {kProbes, 1}; }

}  // namespace quire
