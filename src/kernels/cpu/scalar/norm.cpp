#include "kernels/cpu/scalar/norm.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/cpu/packed_layout.h"

namespace quire::scalar {
namespace {

// Sums of squares are kept in so many lanes (element i in lane i mod 32) and then halved: the order that
// wide registers give, stated so that all levels agree.
constexpr int64_t kNormLanes = 32;

// Blocks whose largest magnitude is below this count as zero: 127 / max would overflow.
constexpr float kSmallestMax = 1e-36F;

constexpr float kRoundingMagic =
    12582912.0F;  // 1.5 * 2^23: adding it rounds to nearest even, held in the low bits

// x[32] -> one block of int8 activations. Magnitudes are compared as bits, which keeps a NaN: it ends in
// the scale.
void quantize_block(const float* x, std::byte* block) {
  uint32_t max_bits = 0;
  for (int64_t i = 0; i < kQuantBlock; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffffU;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  const float max = std::bit_cast<float>(max_bits);
  const float inverse = max < kSmallestMax ? 0.0F : 127.0F / max;
  int8_t quants[kQuantBlock];
  int32_t sum = 0;
  for (int64_t i = 0; i < kQuantBlock; ++i) {
    quants[i] = static_cast<int8_t>(std::bit_cast<uint32_t>(x[i] * inverse + kRoundingMagic) & 0xffU);
    sum += quants[i];
  }
  const float scale = max / 127.0F;
  const float scaled_sum = scale * static_cast<float>(sum);
  std::memcpy(block, quants, sizeof quants);
  std::memcpy(block + 32, &scale, sizeof scale);
  std::memcpy(block + 36, &scaled_sum, sizeof scaled_sum);
}

std::byte* activation_row(std::byte* out, int64_t token, int64_t width) {
  return out + token * (width / kQuantBlock) * kActivationBlockBytes;
}

// 1 / sqrt(mean(x^2) + epsilon).
float inverse_rms(const float* x, int64_t width, float epsilon) {
  float lanes[kNormLanes] = {};
  const int64_t whole = width / kNormLanes * kNormLanes;
  for (int64_t i = 0; i < whole; i += kNormLanes) {
    for (int64_t j = 0; j < kNormLanes; ++j) lanes[j] += x[i + j] * x[i + j];
  }
  for (int64_t i = whole; i < width; ++i) lanes[i - whole] += x[i] * x[i];
  for (int64_t half = kNormLanes / 2; half > 0; half /= 2) {
    for (int64_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return 1.0F / std::sqrt(lanes[0] / static_cast<float>(width) + epsilon);
}

}  // namespace

int64_t activation_bytes(ActivationFormat format, int64_t num_tokens, int64_t width) {
  if (format == ActivationFormat::kF32) return num_tokens * width * static_cast<int64_t>(sizeof(float));
  return num_tokens * (width / kQuantBlock) * kActivationBlockBytes;
}

void rms_norm(const ExecContext&, const NormArgs& args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const float* x = args.x + t * args.x_stride;
    const float scale = inverse_rms(x, args.width, args.epsilon);
    if (args.format == ActivationFormat::kF32) {
      float* out = reinterpret_cast<float*>(args.out) + t * args.out_stride;
      for (int64_t i = 0; i < args.width; ++i) out[i] = x[i] * scale * args.weight[i];
      continue;
    }
    std::byte* block = activation_row(args.out, t, args.width);
    for (int64_t k = 0; k < args.width; k += kQuantBlock, block += kActivationBlockBytes) {
      float normed[kQuantBlock];
      for (int64_t i = 0; i < kQuantBlock; ++i) normed[i] = x[k + i] * scale * args.weight[k + i];
      quantize_block(normed, block);
    }
  }
}

void quantize(const ExecContext&, const QuantizeArgs& args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const float* x = args.x + t * args.x_stride;
    std::byte* block =
        activation_row(args.out, t, args.width) + args.begin_col / kQuantBlock * kActivationBlockBytes;
    for (int64_t k = args.begin_col; k < args.end_col; k += kQuantBlock, block += kActivationBlockBytes)
      quantize_block(x + k, block);
  }
}

}  // namespace quire::scalar
