// exp and silu of 16 floats, shared by the AVX-512 files; cpu/scalar/exp.h explains the method and gives
// the same bits (scalef rounds once, as the two multiplications do). Internal linkage, so that no copy is
// used by another level.
#pragma once

#include <immintrin.h>

namespace quire {
namespace {

inline __m512 exp_ps(__m512 x) {
  const __m512 magic = _mm512_set1_ps(12582912.0F);
  x = _mm512_min_ps(_mm512_set1_ps(89.0F), x);  // this order of operands keeps a NaN
  x = _mm512_max_ps(_mm512_set1_ps(-104.0F), x);
  const __m512 n = _mm512_sub_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(1.44269504F), magic), magic);
  __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693359375F), x);
  r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194442e-4F), r);
  __m512 p = _mm512_set1_ps(1.38145406e-3F);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.36874545e-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1668389e-2F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.166665211F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.49999994F));
  p = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(p, r), r, r), _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

inline __m512 silu_ps(__m512 x) {
  const __m512 negated = _mm512_xor_ps(x, _mm512_set1_ps(-0.0F));
  return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0F), exp_ps(negated)));
}

}  // namespace
}  // namespace quire
