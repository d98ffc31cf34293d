// A register that holds one value of each of a group's 8 rows, as the linears in cpu/linear_*.h want it.
// Internal linkage.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/avx2/exp.h"

namespace quire {
namespace {

struct RowVectors {
  static constexpr int64_t kRows = 8;
  static constexpr bool kHasDot = false;  // dot_u8_s8() and its companions
  // 15 KiB for two groups of 4-bit weights: half an L1 of 32 KiB
  static constexpr int64_t kPanelBlocks = 24;
  // 2 groups x 6 tokens of fp32 sums, and operands, fill 16 registers
  static constexpr int kPlainTokens = 6;

  using Float = __m256;
  using Int = __m256i;  // bytes, int16 or int32

  // g++ 12 reorders and spills sums that are plain intrinsics: an empty statement that claims to change the
  // register holds each value where it was written.
  template <class T>
  static void pin(T& value) {
    asm volatile("" : "+x"(value));
  }

  static Float zero() { return _mm256_setzero_ps(); }
  static Float load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Float x) { _mm256_storeu_ps(to, x); }
  static Float broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  static Float set1(float x) { return _mm256_set1_ps(x); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static Float silu(Float x) { return silu_ps(x); }
  static Float to_float(Int x) { return _mm256_cvtepi32_ps(x); }
  static Float load_fp16(const std::byte* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Float load_bf16(const std::byte* from) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }

  static Int load_int(const std::byte* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void store_int(std::byte* to, Int x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  // The same 4 bytes for every row.
  static Int broadcast_quad(const std::byte* from) {
    int32_t quad;
    __builtin_memcpy(&quad, from, sizeof quad);
    return _mm256_set1_epi32(quad);
  }
  static Int low_nibbles(Int x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
  static Int high_nibbles(Int x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }
  static Int add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
  static Int add32(Int a, Int b) { return _mm256_add_epi32(a, b); }
  // Products of unsigned and signed bytes, summed by pairs to int16.
  static Int pairs_u8_s8(Int u, Int s) { return _mm256_maddubs_epi16(u, s); }
  // Pairs of int16 summed to int32.
  static Int sum_pairs16(Int x) { return _mm256_madd_epi16(x, _mm256_set1_epi16(1)); }
  static Int magnitude8(Int x) { return _mm256_abs_epi8(x); }
  // x with the sign of `by` multiplied in; anything where `by` is 0.
  static Int with_sign8(Int x, Int by) { return _mm256_sign_epi8(x, by); }
  // Byte kIndex of each row's quad.
  template <int kIndex, bool kSigned>
  static Int byte_of_quad(Int x) {
    const __m256i top = _mm256_slli_epi32(x, 24 - 8 * kIndex);
    return kSigned ? _mm256_srai_epi32(top, 24) : _mm256_srli_epi32(top, 24);
  }
};

}  // namespace
}  // namespace quire
