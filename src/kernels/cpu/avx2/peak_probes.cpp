#include <immintrin.h>

#include "kernels/cpu/peak_chains.h"

namespace quire {
namespace {

void fma_f32() {
  const __m256 a = _mm256_set1_ps(1.5F);
  run_chains(
      _mm256_setzero_ps(), [a](__m256 sum) __attribute__((always_inline)) {
        sum = _mm256_fmadd_ps(a, a, sum);
        asm volatile("" : "+x"(sum));
        return sum;
      });
}

// Products of bytes summed by pairs, and those sums summed: the least that a product of quantized matrices
// does on this level.
void dot_int8() {
  const __m256i a = _mm256_set1_epi8(3);
  run_chains(
      _mm256_setzero_si256(), [a](__m256i sum) __attribute__((always_inline)) {
        __m256i products = _mm256_maddubs_epi16(a, a);
        asm volatile("" : "+x"(products));
        sum = _mm256_add_epi16(sum, products);
        asm volatile("" : "+x"(sum));
        return sum;
      });
}

constexpr PeakProbe kProbes[] = {
    {"AVX2 fp32 fma", Arithmetic::kF32, kRounds* kChains * 2 * 8, fma_f32},
    {"AVX2 int8 maddubs, add", Arithmetic::kInt8, kRounds* kChains * 2 * 4 * 8, dot_int8}};

}  // namespace

PeakProbeList peak_probes_avx2() { return {kProbes, 2}; }

}  // namespace quire
