#include "weights/gguf_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace quire {
namespace {

struct TensorTypeRow {
  uint32_t type;
  std::string_view name;
  std::optional<DType> dtype;
};
constexpr std::array<TensorTypeRow, 35> kTensorTypes{{
    {0, "F32", DType::kF32},
    {1, "F16", DType::kF16},
    {2, "Q4_0", DType::kQ4_0},
    {3, "Q4_1", DType::kQ4_1},
    {6, "Q5_0", {}},
    {7, "Q5_1", {}},
    {8, "Q8_0", DType::kQ8_0},
    {9, "Q8_1", {}},
    {10, "Q2_K", {}},
    {11, "Q3_K", {}},
    {12, "Q4_K", {}},
    {13, "Q5_K", {}},
    {14, "Q6_K", {}},
    {15, "Q8_K", {}},
    {16, "IQ2_XXS", {}},
    {17, "IQ2_XS", {}},
    {18, "IQ3_XXS", {}},
    {19, "IQ1_S", {}},
    {20, "IQ4_NL", {}},
    {21, "IQ3_S", {}},
    {22, "IQ2_S", {}},
    {23, "IQ4_XS", {}},
    {24, "I8", {}},
    {25, "I16", {}},
    {26, "I32", {}},
    {27, "I64", {}},
    {28, "F64", {}},
    {29, "IQ1_M", {}},
    {30, "BF16", DType::kBF16},
    {31, "Q4_0_4_4", {}},
    {32, "Q4_0_4_8", {}},
    {33, "Q4_0_8_8", {}},
    {34, "TQ1_0", {}},
    {35, "TQ2_0", {}},
    {39, "MXFP4", {}},
}};

struct ValueTypeRow {
  std::string_view name;
  size_t bytes;
};
constexpr std::array<ValueTypeRow, 13> kValueTypes{{{"u8", 1},
                                                    {"i8", 1},
                                                    {"u16", 2},
                                                    {"i16", 2},
                                                    {"u32", 4},
                                                    {"i32", 4},
                                                    {"f32", 4},
                                                    {"bool", 1},
                                                    {"string", 0},
                                                    {"array", 0},
                                                    {"u64", 8},
                                                    {"i64", 8},
                                                    {"f64", 8}}};

const TensorTypeRow* find_tensor_type(uint32_t type) {
  const auto row =
      std::find_if(kTensorTypes.begin(), kTensorTypes.end(), [&](const auto& r) { return r.type == type; });
  return row == kTensorTypes.end() ? nullptr : &*row;
}

}  // namespace

std::string gguf_type_name(uint32_t type) {
  return type < kValueTypes.size() ? std::string(kValueTypes[type].name) : fmt::format("type {}", type);
}

size_t gguf_scalar_bytes(GgufType type) {
  const auto index = static_cast<uint32_t>(type);
  return index < kValueTypes.size() ? kValueTypes[index].bytes : 0;
}

uint32_t ggml_type_of(DType dtype) {
  return std::find_if(kTensorTypes.begin(), kTensorTypes.end(),
                      [&](const auto& row) { return row.dtype == dtype; })
      ->type;
}

std::optional<DType> dtype_of_ggml_type(uint32_t type) {
  const TensorTypeRow* row = find_tensor_type(type);
  return row ? row->dtype : std::nullopt;
}

std::string ggml_type_name(uint32_t type) {
  const TensorTypeRow* row = find_tensor_type(type);
  return row ? std::string(row->name) : fmt::format("type {}", type);
}

std::string printable(std::string_view text) {
  constexpr size_t kMost = 80;
  std::string out;
  for (const char c : text.substr(0, kMost)) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint8_t>(c));
    }
  }
  if (text.size() > kMost) out += "...";
  return out;
}

}  // namespace quire
