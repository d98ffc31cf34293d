#include "tensor/half.h"

#include <bit>

namespace quire {
namespace {

constexpr uint32_t kFloatInfinity = 0x7f800000;

// `value` shifted right by `shift` (1 to 31), rounded to nearest, ties to even.
uint32_t shift_rounded(uint32_t value, uint32_t shift) {
  const uint32_t below_half = (uint32_t{1} << (shift - 1)) - 1;
  return (value + below_half + ((value >> shift) & 1)) >> shift;
}

}  // namespace

float fp16_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, which a float holds exactly
    const float magnitude = static_cast<float>(mantissa) * 0x1.0p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  if (exponent == 0x1f) return std::bit_cast<float>(sign | kFloatInfinity | mantissa << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t float_to_fp16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  uint32_t half = 0;
  if (magnitude > kFloatInfinity) {
    half = 0x7e00 | (magnitude >> 13 & 0x3ff);  // quiet NaN, its payload's upper bits kept
  } else if (magnitude >= 0x47800000) {         // 65536 and more
    half = 0x7c00;
  } else if (magnitude >= 0x38800000) {  // 2^-14: normal; rounding may carry up to infinity, as it should
    half = shift_rounded(magnitude - (uint32_t{112} << 23), 13);
  } else if (magnitude >= 0x33000000) {  // 2^-25: subnormal, or the smallest normal after rounding
    const uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    half = shift_rounded(mantissa, 126 - (magnitude >> 23));
  }
  return static_cast<uint16_t>(sign | half);
}

float bf16_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t float_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > kFloatInfinity) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>(shift_rounded(bits, 16));
}

}  // namespace quire
