// add and argmax stay those of AVX2: they are bound by memory.
#include <immintrin.h>

#include "kernels/cpu/avx512/exp.h"
#include "kernels/cpu/fill.h"

namespace quire {
namespace {

constexpr int64_t kLanes = 16;

// The lanes of [i, i + kLanes) that lie below `count`.
__mmask16 lanes_below(int64_t i, int64_t count) {
  return i + kLanes <= count ? 0xffff : static_cast<__mmask16>((1U << (count - i)) - 1U);
}

void silu_mul(const ExecContext&, const BinaryArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* a = args.a + token * args.a_stride;
    const float* b = args.b + token * args.b_stride;
    float* out = args.out + token * args.out_stride;
    for (int64_t i = 0; i < args.width; i += kLanes) {
      const __mmask16 lanes = lanes_below(i, args.width);
      const __m512 gate = silu_ps(_mm512_maskz_loadu_ps(lanes, a + i));
      _mm512_mask_storeu_ps(out + i, lanes, _mm512_mul_ps(gate, _mm512_maskz_loadu_ps(lanes, b + i)));
    }
  }
}

void max_sum_exp(const float* x, int64_t count, float scale, float* maximum, double* sum) {
  const __m512 nothing = _mm512_set1_ps(-__builtin_inff());
  __m512 best = nothing;
  for (int64_t i = 0; i < count; i += kLanes) {
    // max returns its second operand where one is NaN.
    best = _mm512_max_ps(_mm512_mask_loadu_ps(nothing, lanes_below(i, count), x + i), best);
  }
  *maximum = _mm512_reduce_max_ps(best);
  const __m512 base = _mm512_set1_ps(*maximum);
  const __m512 factor = _mm512_set1_ps(scale);
  __m512d low = _mm512_setzero_pd();
  __m512d high = _mm512_setzero_pd();
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_below(i, count);
    const __m512 offset = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), base);
    const __m512 terms = _mm512_maskz_mov_ps(lanes, exp_ps(_mm512_mul_ps(factor, offset)));
    low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(terms)));
    high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(terms, 1)));
  }
  *sum = _mm512_reduce_add_pd(_mm512_add_pd(low, high));
}

int64_t select(const float* x, int64_t count, float threshold, int32_t* out) {
  const __m512 least = _mm512_set1_ps(threshold);
  __m512i indices = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int64_t found = 0;
  for (int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = lanes_below(i, count);
    const __mmask16 above =
        _mm512_mask_cmp_ps_mask(lanes, _mm512_maskz_loadu_ps(lanes, x + i), least, _CMP_GE_OQ);
    if (above != 0) {
      _mm512_mask_compressstoreu_epi32(out + found, above, indices);
      found += __builtin_popcount(above);
    }
    indices = _mm512_add_epi32(indices, _mm512_set1_epi32(kLanes));
  }
  return found;
}

}  // namespace

void fill_rows_avx512(KernelTable& table) {
  table.silu_mul = silu_mul;
  table.max_sum_exp = max_sum_exp;
  table.select = select;
}

}  // namespace quire
