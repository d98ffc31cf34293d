#include <immintrin.h>

#include "kernels/cpu/peak_chains.h"

namespace quire {
namespace {

void fma_f32() {
  const __m512 a = _mm512_set1_ps(1.5F);
  run_chains(
      _mm512_setzero_ps(), [a](__m512 sum) __attribute__((always_inline)) {
        sum = _mm512_fmadd_ps(a, a, sum);
        asm volatile("" : "+v"(sum));
        return sum;
      });
}

// Products of bytes summed by pairs, and those sums summed: the least that a product of quantized matrices
// does on this level.
void dot_int8() {
  const __m512i a = _mm512_set1_epi8(3);
  run_chains(
      _mm512_setzero_si512(), [a](__m512i sum) __attribute__((always_inline)) {
        __m512i products = _mm512_maddubs_epi16(a, a);
        asm volatile("" : "+v"(products));
        sum = _mm512_add_epi16(sum, products);
        asm volatile("" : "+v"(sum));
        return sum;
      });
}

constexpr PeakProbe kProbes[] = {
    {"AVX-512 fp32 fma", Arithmetic::kF32, kRounds* kChains * 2 * 16, fma_f32},
    {"AVX-512 int8 maddubs, add", Arithmetic::kInt8, kRounds* kChains * 2 * 4 * 16, dot_int8}};

}  // namespace

PeakProbeList peak_probes_avx512() { return {kProbes, 2}; }

}  // namespace quire
