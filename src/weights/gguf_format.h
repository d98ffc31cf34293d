// The numbers of the GGUF format, versions 2 and 3, little endian:
//   "GGUF", u32 version, u64 tensors, u64 keys,
//   a key: string name, u32 value type, value; a string: u64 length, bytes; an array: u32 type, u64 count,
//   values, a tensor: string name, u32 dimensions, u64 each (columns first), u32 tensor type, u64 offset in
//   the data, padding to general.alignment (32 by default), the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace quire {

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint64_t kGgufDefaultAlignment = 32;
inline constexpr std::string_view kGgufAlignmentKey = "general.alignment";

// Bounds of ours, far above what models need.
inline constexpr uint64_t kMaxGgufTensors = 1 << 17;
inline constexpr uint64_t kMaxGgufKeys = 1 << 16;
inline constexpr uint64_t kMaxGgufNameBytes = 1 << 10;
inline constexpr uint64_t kMaxGgufAlignment = 1 << 16;
inline constexpr uint32_t kMaxGgufDims = 4;
inline constexpr int kMaxGgufArrayDepth = 4;

// clang-format off
enum class GgufType : uint32_t {
  kU8 = 0, kI8 = 1, kU16 = 2, kI16 = 3, kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7, kString = 8, kArray = 9,
  kU64 = 10, kI64 = 11, kF64 = 12,
};
// clang-format on

// As error messages call it: "u32", "string"; "type 99" if there is no such type.
std::string gguf_type_name(uint32_t type);

// Bytes of a value of fixed size; 0 for strings, arrays and unknown types.
size_t gguf_scalar_bytes(GgufType type);

// The number that a tensor's record has for `dtype`, and back; none for a type that this build does not
// read.
uint32_t ggml_type_of(DType dtype);
std::optional<DType> dtype_of_ggml_type(uint32_t type);

// Its usual name, such as "Q4_K"; "type 99" if there is no such type.
std::string ggml_type_name(uint32_t type);

// Text from a file that may be hostile, fit for a message: control and non-ASCII bytes escaped, at most 80
// bytes of it.
std::string printable(std::string_view text);

}  // namespace quire
