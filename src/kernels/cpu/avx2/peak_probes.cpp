#include "kernels/peak_probes.h"

#include <immintrin.h>

namespace quire {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units
constexpr int64_t kRounds = 1000;

void fma_f32() {
  __m256 a = _mm256_set1_ps(1.5F);
  __m256 sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = _mm256_setzero_ps();
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      sums[k] = _mm256_fmadd_ps(a, a, sums[k]);
      asm volatile("" : "+x"(sums[k]));
    }
  }
}

// Products of bytes summed by pairs, and those sums summed: the least that a product of quantized
// matrices does on this level.
void dot_int8() {
  __m256i a = _mm256_set1_epi8(3);
  __m256i sums[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) sums[k] = _mm256_setzero_si256();
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      __m256i products = _mm256_maddubs_epi16(a, a);
      asm volatile("" : "+x"(products));
      sums[k] = _mm256_add_epi16(sums[k], products);
      asm volatile("" : "+x"(sums[k]));
    }
  }
}

constexpr PeakProbe kProbes[] = {
    {"AVX2 fp32 fma", Arithmetic::kF32, kRounds* kChains * 2 * 8, fma_f32},
    {"AVX2 int8 maddubs, add", Arithmetic::kInt8, kRounds* kChains * 2 * 4 * 8, dot_int8}};

}  // namespace

PeakProbeList peak_probes_avx2() { return {kProbes, 2}; }

}  // namespace quire
