#include "weights/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "tensor/half.h"

namespace quire {
namespace {

constexpr int kHalfBlock = kQuantBlock / 2;

void store_u16(std::byte* out, uint16_t value) { std::memcpy(out, &value, sizeof(value)); }

uint16_t load_u16(const std::byte* in) {
  uint16_t value;
  std::memcpy(&value, in, sizeof(value));
  return value;
}

// Stores `scale` as fp16, and returns what one divides by to use the scale as it was stored; 0 for a scale
// of 0.
float store_scale(std::byte* out, float scale) {
  const uint16_t bits = float_to_fp16(scale);
  store_u16(out, bits);
  const float stored = fp16_to_float(bits);
  return stored == 0 ? 0 : 1 / stored;
}

int nearest_step(float steps, int low, int high) {
  return static_cast<int>(
      std::lrintf(std::clamp(steps, static_cast<float>(low), static_cast<float>(high))));
}

// steps: 32 numbers of 0 to 15
void store_nibbles(std::byte* out, const int* steps) {
  for (int i = 0; i < kHalfBlock; ++i)
    out[i] = static_cast<std::byte>(steps[i] | steps[i + kHalfBlock] << 4);
}

void quantize_q4_0(const float* x, std::byte* out) {
  const float peak =
      *std::max_element(x, x + kQuantBlock, [](float a, float b) { return std::abs(a) < std::abs(b); });
  const float inverse = store_scale(out, peak / -8);  // the peak becomes step 0, which stands for -8
  int steps[kQuantBlock];
  for (int i = 0; i < kQuantBlock; ++i) steps[i] = nearest_step(x[i] * inverse + 8, 0, 15);
  store_nibbles(out + 2, steps);
}

void quantize_q4_1(const float* x, std::byte* out) {
  const auto [low, high] = std::minmax_element(x, x + kQuantBlock);
  const uint16_t minimum = float_to_fp16(*low);
  const float inverse = store_scale(out, (*high - *low) / 15);
  store_u16(out + 2, minimum);
  int steps[kQuantBlock];
  for (int i = 0; i < kQuantBlock; ++i)
    steps[i] = nearest_step((x[i] - fp16_to_float(minimum)) * inverse, 0, 15);
  store_nibbles(out + 4, steps);
}

void quantize_q8_0(const float* x, std::byte* out) {
  float peak = 0;
  for (int i = 0; i < kQuantBlock; ++i) peak = std::max(peak, std::abs(x[i]));
  const float inverse = store_scale(out, peak / 127);
  for (int i = 0; i < kQuantBlock; ++i) {
    out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(nearest_step(x[i] * inverse, -127, 127)));
  }
}

// 32 values d * (q - zero) + m
void dequantize_nibbles(const std::byte* nibbles, float d, int zero, float m, float* out) {
  for (int i = 0; i < kHalfBlock; ++i) {
    const int byte = static_cast<int>(nibbles[i]);
    out[i] = d * static_cast<float>((byte & 15) - zero) + m;
    out[i + kHalfBlock] = d * static_cast<float>((byte >> 4) - zero) + m;
  }
}

void dequantize_block(DType dtype, const std::byte* in, float* out) {
  const float d = fp16_to_float(load_u16(in));
  switch (dtype) {
    case DType::kQ4_0: return dequantize_nibbles(in + 2, d, 8, 0, out);
    case DType::kQ4_1: return dequantize_nibbles(in + 4, d, 0, fp16_to_float(load_u16(in + 2)), out);
    default:
      for (int i = 0; i < kQuantBlock; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(in[2 + i]));
  }
}

void check_sizes(DType dtype, size_t elements, size_t bytes) {
  const auto count = static_cast<int64_t>(elements);
  CHECK(count % block_elements(dtype) == 0, "{} elements are not whole blocks of {}", count,
        to_string(dtype));
  CHECK(row_bytes(dtype, count) == static_cast<int64_t>(bytes));
}

}  // namespace

void quantize_row(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  check_sizes(dtype, values.size(), out.size());
  if (dtype == DType::kF32) {
    std::ranges::copy(std::as_bytes(values), out.begin());
  } else if (dtype == DType::kF16 || dtype == DType::kBF16) {
    const auto convert = dtype == DType::kF16 ? float_to_fp16 : float_to_bf16;
    for (size_t i = 0; i < values.size(); ++i) store_u16(&out[2 * i], convert(values[i]));
  } else {
    const auto quantize = dtype == DType::kQ4_0   ? quantize_q4_0
                          : dtype == DType::kQ4_1 ? quantize_q4_1
                                                  : quantize_q8_0;
    const float* x = values.data();
    std::byte* block = out.data();
    for (; x != values.data() + values.size(); x += kQuantBlock, block += block_bytes(dtype))
      quantize(x, block);
  }
}

void dequantize_row(DType dtype, std::span<const std::byte> row, std::span<float> out) {
  check_sizes(dtype, out.size(), row.size());
  if (dtype == DType::kF32) {
    std::ranges::copy(row, std::as_writable_bytes(out).begin());
  } else if (dtype == DType::kF16 || dtype == DType::kBF16) {
    const auto convert = dtype == DType::kF16 ? fp16_to_float : bf16_to_float;
    for (size_t i = 0; i < out.size(); ++i) out[i] = convert(load_u16(&row[2 * i]));
  } else {
    const std::byte* block = row.data();
    float* x = out.data();
    for (; x != out.data() + out.size(); x += kQuantBlock, block += block_bytes(dtype))
      dequantize_block(dtype, block, x);
  }
}

}  // namespace quire
