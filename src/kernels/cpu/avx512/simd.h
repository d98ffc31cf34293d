// Sixteen floats, as cpu/attention_tile.h wants them. Internal linkage.
#pragma once

#include <immintrin.h>

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

struct Simd {
  using Vec = __m512;
  using Int = __m512i;
  static constexpr int32_t kLanes = 16;

  // Vectors of a register tile with so many rows: enough sums to hide the latency of fma, at most 24.
  static constexpr int32_t vectors(int32_t rows) { return rows == 1 ? 8 : 4; }

  static Vec zero() { return _mm512_setzero_ps(); }
  static Vec set1(float x) { return _mm512_set1_ps(x); }
  static Vec load(const float* from) { return _mm512_loadu_ps(from); }
  static Vec load(const Float16* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Vec load(const BFloat16* from) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  static void store(float* to, Vec x) { _mm512_storeu_ps(to, x); }
  static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
  static Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
  static Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
  static Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
  static Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }

  // Integers: kLanes pairs of int16, or kLanes int32.
  static Int int_zero() { return _mm512_setzero_si512(); }
  static Int set1_pair(int32_t pair) { return _mm512_set1_epi32(pair); }
  static Int load_pairs(const Int8* from) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Int multiply_add(Int a, Int b, Int sum) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); }
  static Vec to_float(Int x) { return _mm512_cvtepi32_ps(x); }
  // Rounds to the nearest, ties to even.
  static void store_int16(int16_t* to, Vec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)));
  }

  // The first `count` lanes of x, the rest of `other`.
  static Vec first_lanes(Vec x, Vec other, int32_t count) {
    return _mm512_mask_blend_ps(static_cast<__mmask16>((1U << count) - 1U), other, x);
  }

  static float highest(Vec x) { return _mm512_reduce_max_ps(x); }
  static float sum(Vec x) { return _mm512_reduce_add_ps(x); }

  // cpu/avx2/simd.h explains it.
  static Vec exp2(Vec x) {
    const Vec magic = set1(12582912.0F + 127.0F);
    x = _mm512_max_ps(set1(-127.0F), x);
    const Vec shifted = add(x, magic);
    const Vec r = sub(x, sub(shifted, magic));
    Vec p = set1(1.32647271e-3F);
    p = fma(p, r, set1(9.67151265e-3F));
    p = fma(p, r, set1(5.55073374e-2F));
    p = fma(p, r, set1(0.240222421F));
    p = fma(p, r, set1(0.693146978F));
    p = fma(p, r, set1(1.0F));
    return mul(p, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(shifted), 23)));
  }
};

}  // namespace
}  // namespace quire
