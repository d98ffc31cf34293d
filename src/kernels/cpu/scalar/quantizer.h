// Symmetric quantization of a head, as the int8 KV cache has it (cpu/attention_layout.h); the other
// levels state the same operations and give the same bits. Internal linkage.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

struct Quantizer {
  float scale;    // of the quants; NaN if an element is not finite
  float inverse;  // 0: all quants are 0
};

inline Quantizer quantizer_of(const float* x, int32_t count, float max_quant) {
  uint32_t largest_bits = 0;  // of magnitudes: these order as the numbers do, and NaN last
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffffU;
    largest_bits = bits > largest_bits ? bits : largest_bits;
  }
  const float largest = std::bit_cast<float>(largest_bits);
  if (largest_bits >= 0x7f800000U) return {__builtin_nanf(""), 0};
  if (largest < kLeastMaximum) return {0, 0};
  return {largest / max_quant, max_quant / largest};
}

// Rounds to the nearest, ties to even.
inline int32_t quant(const Quantizer& quantizer, float x) {
  if (quantizer.inverse == 0) return 0;
  return static_cast<int32_t>(__builtin_nearbyintf(x * quantizer.inverse));
}

}  // namespace
}  // namespace quire
