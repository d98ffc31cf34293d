// The rows of AVX-512, with the products of VNNI. Internal linkage.
#pragma once

#include "kernels/cpu/avx512/row_vectors.h"

namespace quire {
namespace {

struct RowVectors : Avx512Rows {
  static constexpr bool kHasDot = true;

  static Int zero_int() { return _mm512_setzero_si512(); }
  static Int sub32(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  // s8 x as u8 x + 128.
  static Int flip_sign_bits8(Int x) { return _mm512_xor_si512(x, _mm512_set1_epi8(-128)); }
  // sum + the four products, unsigned and signed, of each quad.
  static Int dot_u8_s8(Int sum, Int u, Int s) { return _mm512_dpbusd_epi32(sum, u, s); }
};

}  // namespace
}  // namespace quire
