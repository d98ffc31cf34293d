// Half-precision conversions inside loops of the kernels, inline and with internal linkage; tensor/half.h
// has the same for everyone else. The same bits as F16C and AVX-512 give.
#pragma once

#include <bit>
#include <cstdint>

namespace quire {
namespace {

inline float float_from_f16(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31;
  const uint32_t magnitude = half & 0x7fffU;
  if (magnitude >= 0x7c00) {  // infinity; NaN, made quiet
    const uint32_t quiet = magnitude > 0x7c00 ? 0x400000U : 0U;
    return std::bit_cast<float>(sign | 0x7f800000U | quiet | (magnitude & 0x3ffU) << 13);
  }
  if (magnitude < 0x400) {  // zero and subnormals: multiples of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1.0p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + (112U << 23)));
}

// Rounds to the nearest, ties to even; overflow gives infinity, NaN stays NaN.
inline uint16_t f16_from_float(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<uint16_t>(sign | 0x7e00U | (magnitude >> 13 & 0x3ffU));
  if (magnitude >= 0x477ff000U) return static_cast<uint16_t>(sign | 0x7c00U);  // rounds to 65536 or more
  if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 leaves the multiple of 2^-24 in the low bits
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000U));
  }
  const uint32_t odd = magnitude >> 13 & 1U;
  return static_cast<uint16_t>(sign | (magnitude - (112U << 23) + 0xfffU + odd) >> 13);
}

inline float float_from_bf16(uint16_t half) { return std::bit_cast<float>(uint32_t{half} << 16); }

// The same rounding; the upper half of the fp32 bits.
inline uint16_t bf16_from_float(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<uint16_t>(bits >> 16 | 0x40U);
  return static_cast<uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

}  // namespace
}  // namespace quire
