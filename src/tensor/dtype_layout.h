// Element types. Quantized ones are GGUF's blocks of 32 elements along a row:
//   q4_0: fp16 d, 16 bytes of nibbles; value = d * (q - 8)
//   q4_1: fp16 d, fp16 m, 16 bytes of nibbles; value = d * q + m
//   q8_0: fp16 d, 32 int8; value = d * q
// Byte i of the nibbles holds element i in its low half and element i + 16 in its high half.
//
// Apart from dtype.h for the files of one instruction set: it includes nothing with inline functions, and
// its own leave no copy behind that the linker could keep for everybody.
#pragma once

#include <cstdint>

namespace quire {

enum class DType : uint8_t { kF32, kF16, kBF16, kQ4_0, kQ4_1, kQ8_0 };
inline constexpr int kNumDTypes = 6;

inline constexpr int64_t kQuantBlock = 32;  // elements in a quantized block

[[gnu::always_inline]] constexpr bool is_quantized(DType dtype) { return dtype >= DType::kQ4_0; }

// Elements in the smallest unit that can be addressed.
[[gnu::always_inline]] constexpr int64_t block_elements(DType dtype) {
  return is_quantized(dtype) ? kQuantBlock : 1;
}

// Bytes of that unit.
[[gnu::always_inline]] constexpr int64_t block_bytes(DType dtype) {
  switch (dtype) {
    case DType::kF32: return 4;
    case DType::kF16: return 2;
    case DType::kBF16: return 2;
    case DType::kQ4_0: return 18;
    case DType::kQ4_1: return 20;
    case DType::kQ8_0: return 34;
  }
  return 0;
}

// Bytes of a row of `elements`, a multiple of block_elements(dtype).
[[gnu::always_inline]] constexpr int64_t row_bytes(DType dtype, int64_t elements) {
  return elements / block_elements(dtype) * block_bytes(dtype);
}

// How keys and values are stored. kInt8: signed bytes within 127 of zero, and an fp32 scale for each token
// and KV head, of its key and of its value.
enum class KvDType : uint8_t { kF32, kF16, kBF16, kInt8 };

// Bytes of the keys, or of the values, of `tokens` tokens of one KV head; kInt8 pads head_dim to even.
[[gnu::always_inline]] constexpr int64_t kv_head_bytes(KvDType dtype, int64_t tokens, int64_t head_dim) {
  switch (dtype) {
    case KvDType::kF32: return tokens * head_dim * 4;
    case KvDType::kF16: return tokens * head_dim * 2;
    case KvDType::kBF16: return tokens * head_dim * 2;
    case KvDType::kInt8: return tokens * ((head_dim + 1) / 2 * 2 + 4);
  }
  return 0;
}

}  // namespace quire
