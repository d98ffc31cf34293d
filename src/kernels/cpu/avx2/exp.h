// exp and silu of 8 floats, shared by the AVX2 files; cpu/scalar/exp.h explains the method and gives the
// same bits. Internal linkage, so that no copy of one instruction set is ever used by another.
#pragma once

#include <immintrin.h>

namespace quire {
namespace {

inline __m256 exp_ps(__m256 x) {
  const __m256 magic = _mm256_set1_ps(12582912.0F);
  x = _mm256_min_ps(_mm256_set1_ps(89.0F), x);  // this order of operands keeps a NaN
  x = _mm256_max_ps(_mm256_set1_ps(-104.0F), x);
  const __m256 shifted = _mm256_fmadd_ps(x, _mm256_set1_ps(1.44269504F), magic);
  const __m256 n = _mm256_sub_ps(shifted, magic);
  const __m256i exponent = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(magic));
  __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0.693359375F), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.12194442e-4F), r);
  __m256 p = _mm256_set1_ps(1.38145406e-3F);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.36874545e-3F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1668389e-2F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.166665211F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.49999994F));
  p = _mm256_add_ps(_mm256_fmadd_ps(_mm256_mul_ps(p, r), r, r), _mm256_set1_ps(1.0F));
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_srai_epi32(exponent, 1);
  const __m256i second = _mm256_sub_epi32(exponent, first);
  const __m256 scale_first = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(first, bias), 23));
  const __m256 scale_second = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(second, bias), 23));
  return _mm256_mul_ps(_mm256_mul_ps(p, scale_first), scale_second);
}

inline __m256 silu_ps(__m256 x) {
  const __m256 negated = _mm256_xor_ps(x, _mm256_set1_ps(-0.0F));
  return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0F), exp_ps(negated)));
}

}  // namespace
}  // namespace quire
