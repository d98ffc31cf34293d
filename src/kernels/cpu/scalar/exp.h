// exp and silu of the scalar level, shared by its files. The AVX2 and AVX-512 levels state the same
// operations in the same order, so all levels agree bit for bit.
#pragma once

#include <bit>
#include <cstdint>

namespace quire {
namespace {

// e^x within 1.01 ulp: x = n ln2 + r with |r| <= ln2/2, e^r by a minimax polynomial of degree 6, scaled by
// 2^n in two steps so that denormal results round once. exp(-inf) = 0, exp(90) = inf, NaN stays NaN.
inline float exp_f32(float x) {
  x = x > 89.0F ? 89.0F : x;
  x = x < -104.0F ? -104.0F : x;
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  const float shifted = __builtin_fmaf(x, 1.44269504F, kMagic);
  const float n = shifted - kMagic;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kMagic);
  float r = __builtin_fmaf(n, -0.693359375F, x);
  r = __builtin_fmaf(n, 2.12194442e-4F, r);
  float p = 1.38145406e-3F;
  p = __builtin_fmaf(p, r, 8.36874545e-3F);
  p = __builtin_fmaf(p, r, 4.1668389e-2F);
  p = __builtin_fmaf(p, r, 0.166665211F);
  p = __builtin_fmaf(p, r, 0.49999994F);
  p = __builtin_fmaf(p * r, r, r) + 1.0F;
  const int32_t first = exponent >> 1;
  const float scale_first = std::bit_cast<float>((first + 127) << 23);
  const float scale_second = std::bit_cast<float>((exponent - first + 127) << 23);
  return p * scale_first * scale_second;
}

inline float silu_f32(float x) { return x / (1.0F + exp_f32(-x)); }

}  // namespace
}  // namespace quire
