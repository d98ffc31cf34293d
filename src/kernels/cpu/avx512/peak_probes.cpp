#include "kernels/peak_probes.h"

#include <immintrin.h>

namespace quire {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units
constexpr int64_t kRounds = 1000;

void fma_f32() {
  __m512 a = _mm512_set1_ps(1.5F);
  __m512 sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = _mm512_setzero_ps();
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      sums[k] = _mm512_fmadd_ps(a, a, sums[k]);
      asm volatile("" : "+v"(sums[k]));
    }
  }
}

// Products of bytes summed by pairs, and those sums summed: the least that a product of quantized
// matrices does on this level.
void dot_int8() {
  __m512i a = _mm512_set1_epi8(3);
  __m512i sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = _mm512_setzero_si512();
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      __m512i products = _mm512_maddubs_epi16(a, a);
      asm volatile("" : "+v"(products));
      sums[k] = _mm512_add_epi16(sums[k], products);
      asm volatile("" : "+v"(sums[k]));
    }
  }
}

constexpr PeakProbe kProbes[] = {
    {"AVX-512 fp32 fma", Arithmetic::kF32, kRounds* kChains * 2 * 16, fma_f32},
    {"AVX-512 int8 maddubs, add", Arithmetic::kInt8, kRounds* kChains * 2 * 4 * 16, dot_int8}};

}  // namespace

PeakProbeList peak_probes_avx512() { return {kProbes, 2}; }

}  // namespace quire
