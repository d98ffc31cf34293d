// Eight floats, as cpu/attention_tile.h wants them. Internal linkage.
#pragma once

#include <immintrin.h>

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

struct Simd {
  using Vec = __m256;
  using Int = __m256i;
  static constexpr int32_t kLanes = 8;

  // Vectors of a register tile with so many rows: the sums, one vector and the rows' broadcasts fill 16
  // registers.
  static constexpr int32_t vectors(int32_t rows) { return rows == 1 ? 8 : rows <= 3 ? 4 : 2; }

  static Vec zero() { return _mm256_setzero_ps(); }
  static Vec set1(float x) { return _mm256_set1_ps(x); }
  static Vec load(const float* from) { return _mm256_loadu_ps(from); }
  static Vec load(const Float16* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Vec load(const BFloat16* from) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static void store(float* to, Vec x) { _mm256_storeu_ps(to, x); }
  static Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
  static Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
  static Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
  static Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
  static Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }

  // Integers: kLanes pairs of int16, or kLanes int32.
  static Int int_zero() { return _mm256_setzero_si256(); }
  static Int set1_pair(int32_t pair) { return _mm256_set1_epi32(pair); }
  static Int load_pairs(const Int8* from) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Int multiply_add(Int a, Int b, Int sum) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
  static Vec to_float(Int x) { return _mm256_cvtepi32_ps(x); }
  // Rounds to the nearest, ties to even.
  static void store_int16(int16_t* to, Vec x) {
    const Int packed = _mm256_packs_epi32(_mm256_cvtps_epi32(x), _mm256_setzero_si256());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0b11011000)));
  }

  // The first `count` lanes of x, the rest of `other`.
  static Vec first_lanes(Vec x, Vec other, int32_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i keep = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(keep));
  }

  static float highest(Vec x) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }

  static float sum(Vec x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }

  // 2^x for x <= 0, within 2 ulp; exactly 1 for 0, exactly 0 below -126.5 (no subnormal numbers, which are
  // slow). NaN stays NaN. x = n + r with |r| <= 1/2, 2^r by a minimax polynomial of degree 5.
  static Vec exp2(Vec x) {
    const Vec magic =
        set1(12582912.0F + 127.0F);       // 1.5 * 2^23: the low bits of the sum are n, biased by 127
    x = _mm256_max_ps(set1(-127.0F), x);  // this order of operands keeps a NaN
    const Vec shifted = add(x, magic);
    const Vec r = sub(x, sub(shifted, magic));
    Vec p = set1(1.32647271e-3F);
    p = fma(p, r, set1(9.67151265e-3F));
    p = fma(p, r, set1(5.55073374e-2F));
    p = fma(p, r, set1(0.240222421F));
    p = fma(p, r, set1(0.693146978F));
    p = fma(p, r, set1(1.0F));
    return mul(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted), 23)));
  }
};

}  // namespace
}  // namespace quire
