// 16-bit floating point, bit for bit: IEEE 754 binary16 (fp16) and bfloat16. To 16 bits rounds to nearest,
// ties to even; from 16 bits is exact. For loading, writing and scalar code: the fast kernels have
// instructions for it.
#pragma once

#include <cstdint>

namespace quire {

float fp16_to_float(uint16_t bits);
uint16_t float_to_fp16(float value);  // beyond the range: infinity; NaN stays NaN

float bf16_to_float(uint16_t bits);
uint16_t float_to_bf16(float value);

}  // namespace quire
