// Linears of the scalar level: loops over the 8 interleaved rows that a compiler turns into baseline
// vectors.
#include <cmath>
#include <cstring>

#include "kernels/cpu/fill.h"
#include "kernels/cpu/packed_layout.h"
#include "kernels/cpu/packing.h"
#include "kernels/cpu/scalar/exp.h"
#include "kernels/cpu/scalar/half.h"
#include "kernels/cpu/scalar/norm.h"

namespace quire {
namespace {

constexpr int64_t kRows = 8;        // in a group
constexpr int64_t kTokenTile = 32;  // tokens that share one unpacked block

// Sums of one group of rows for a tile of tokens.
struct Tile {
  float sums[kTokenTile][kRows];
};

// Where a tile sits: `group` of the weight, tokens [first_token, first_token + num_tokens).
struct TilePlace {
  int64_t group;
  int64_t first_token;
  int64_t num_tokens;
};

int64_t group_bytes(const LinearArgs& args) {
  return kRows * row_bytes(args.weight.dtype, args.weight.cols);
}

float load_half(const std::byte* data) {
  uint16_t value;
  std::memcpy(&value, data, sizeof value);
  return float_from_f16(value);
}

// Scales and minima of one packed block; zeros where the type has no minimum.
struct BlockScales {
  float scale[kRows];
  float minimum[kRows];
};

template <DType kType>
BlockScales load_scales(const std::byte* block) {
  const std::byte* headers = block + (kType == DType::kQ8_0 ? kQ8Quads : kQ4Quads) * kRows * 4;
  BlockScales scales;
  for (int64_t r = 0; r < kRows; ++r) {
    scales.scale[r] = load_half(headers + r * 2);
    scales.minimum[r] = 0.0F;
    if (kType == DType::kQ4_0) scales.minimum[r] = -8.0F * scales.scale[r];
    if (kType == DType::kQ4_1) scales.minimum[r] = load_half(headers + (kRows + r) * 2);
  }
  return scales;
}

// Quants of one packed block, k-major.
struct BlockQuants {
  int16_t at[kQuantBlock][kRows];
};

template <DType kType>
void unpack_quants(const std::byte* block, BlockQuants& quants) {
  for (int64_t j = 0; j < (kType == DType::kQ8_0 ? kQ8Quads : kQ4Quads); ++j) {
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t i = 0; i < 4; ++i) {
        const auto byte = std::to_integer<uint8_t>(block[(j * kRows + r) * 4 + i]);
        if (kType == DType::kQ8_0) {
          quants.at[j * 4 + i][r] = static_cast<int8_t>(byte);
        } else {
          quants.at[j * 4 + i][r] = byte & 15;
          quants.at[j * 4 + i + 16][r] = byte >> 4;
        }
      }
    }
  }
}

// dot[r] = sum over k of quants[k][r] * a[k]
void dot_block(const BlockQuants& quants, const int8_t* a, int32_t (&dot)[kRows]) {
  for (int32_t& d : dot) d = 0;
  for (int64_t k = 0; k < kQuantBlock; ++k) {
    for (int64_t r = 0; r < kRows; ++r) dot[r] += quants.at[k][r] * static_cast<int16_t>(a[k]);
  }
}

template <DType kType>
void sum_int8(const LinearArgs& args, const TilePlace& place, Tile& tile) {
  const int64_t num_blocks = args.weight.cols / kQuantBlock;
  const std::byte* block = args.weight.data + place.group * group_bytes(args);
  std::memset(&tile, 0, sizeof tile);
  for (int64_t b = 0; b < num_blocks; ++b, block += kRows * block_bytes(kType)) {
    const BlockScales scales = load_scales<kType>(block);
    BlockQuants quants;
    unpack_quants<kType>(block, quants);
    for (int64_t t = 0; t < place.num_tokens; ++t) {
      const std::byte* a =
          args.activations + ((place.first_token + t) * num_blocks + b) * kActivationBlockBytes;
      float scale_a;
      float sum_a;
      std::memcpy(&scale_a, a + 32, sizeof scale_a);
      std::memcpy(&sum_a, a + 36, sizeof sum_a);
      int32_t dot[kRows];
      dot_block(quants, reinterpret_cast<const int8_t*>(a), dot);
      float* sums = tile.sums[t];
      for (int64_t r = 0; r < kRows; ++r) {
        if (kType != DType::kQ8_0) sums[r] = std::fma(scales.minimum[r], sum_a, sums[r]);
        sums[r] = std::fma(static_cast<float>(dot[r]) * scale_a, scales.scale[r], sums[r]);
      }
    }
  }
}

constexpr int64_t kPlainChunk = 32;  // k that are converted at a time, also for plain types

// Weights [k][row] as embed() gives them, `count` of them from `k` on.
template <DType kType>
void dequantize(const std::byte* group, int64_t k, int64_t count, float (&out)[kPlainChunk][kRows]) {
  if constexpr (is_quantized(kType)) {
    const std::byte* block = group + k / kQuantBlock * kRows * block_bytes(kType);
    const BlockScales scales = load_scales<kType>(block);
    BlockQuants quants;
    unpack_quants<kType>(block, quants);
    for (int64_t i = 0; i < kQuantBlock; ++i) {
      for (int64_t r = 0; r < kRows; ++r) {
        const float quant = static_cast<float>(quants.at[i][r] - (kType == DType::kQ4_0 ? 8 : 0));
        out[i][r] = scales.scale[r] * quant + (kType == DType::kQ4_1 ? scales.minimum[r] : 0.0F);
      }
    }
  } else if constexpr (kType == DType::kF32) {
    std::memcpy(out, group + k * kRows * 4, static_cast<size_t>(count * kRows * 4));
  } else {
    for (int64_t i = 0; i < count; ++i) {
      uint16_t row[kRows];
      std::memcpy(row, group + (k + i) * kRows * 2, sizeof row);
      for (int64_t r = 0; r < kRows; ++r) {
        out[i][r] = kType == DType::kF16 ? float_from_f16(row[r]) : float_from_bf16(row[r]);
      }
    }
  }
}

// sums[t][r] += w[k][r] * x[t][k] for kTokens tokens, in ascending k.
template <int64_t kTokens>
void accumulate(const float (&w)[kPlainChunk][kRows], int64_t count, const float* x, int64_t x_stride,
                float (*sums)[kRows]) {
  using Float4 = float __attribute__((vector_size(16)));
  Float4 low[kTokens];
  Float4 high[kTokens];
  for (int64_t t = 0; t < kTokens; ++t) {
    std::memcpy(&low[t], sums[t], sizeof low[t]);
    std::memcpy(&high[t], sums[t] + 4, sizeof high[t]);
  }
  for (int64_t k = 0; k < count; ++k) {
    Float4 w_low;
    Float4 w_high;
    std::memcpy(&w_low, w[k], sizeof w_low);
    std::memcpy(&w_high, w[k] + 4, sizeof w_high);
    for (int64_t t = 0; t < kTokens; ++t) {
      low[t] += w_low * x[t * x_stride + k];
      high[t] += w_high * x[t * x_stride + k];
    }
  }
  for (int64_t t = 0; t < kTokens; ++t) {
    std::memcpy(sums[t], &low[t], sizeof low[t]);
    std::memcpy(sums[t] + 4, &high[t], sizeof high[t]);
  }
}

template <DType kType>
void sum_f32(const LinearArgs& args, const TilePlace& place, Tile& tile) {
  const int64_t cols = args.weight.cols;
  const int64_t stride = args.activation_stride;
  const std::byte* group = args.weight.data + place.group * group_bytes(args);
  const float* x = reinterpret_cast<const float*>(args.activations) + place.first_token * stride;
  std::memset(&tile, 0, sizeof tile);
  for (int64_t k = 0; k < cols; k += kPlainChunk) {
    const int64_t count = cols - k < kPlainChunk ? cols - k : kPlainChunk;
    float w[kPlainChunk][kRows];
    dequantize<kType>(group, k, count, w);
    int64_t t = 0;
    for (; t + 4 <= place.num_tokens; t += 4)
      accumulate<4>(w, count, x + t * stride + k, stride, &tile.sums[t]);
    for (; t < place.num_tokens; ++t) accumulate<1>(w, count, x + t * stride + k, stride, &tile.sums[t]);
  }
}

void store(const LinearArgs& args, const TilePlace& place, const Tile& tile) {
  for (int64_t t = 0; t < place.num_tokens; ++t) {
    float* out = args.out + (place.first_token + t) * args.out_stride + place.group * kRows;
    for (int64_t r = 0; r < kRows; ++r) {
      out[r] = args.epilogue == Epilogue::kAdd ? out[r] + tile.sums[t][r] : tile.sums[t][r];
    }
  }
}

void store_silu_mul(const LinearArgs& args, const TilePlace& place, const Tile& gate, const Tile& up) {
  for (int64_t t = 0; t < place.num_tokens; ++t) {
    float* out = args.out + (place.first_token + t) * args.out_stride + place.group / 2 * kRows;
    for (int64_t r = 0; r < kRows; ++r) out[r] = silu_f32(gate.sums[t][r]) * up.sums[t][r];
  }
}

using SumFunction = void (*)(const LinearArgs&, const TilePlace&, Tile&);

template <SumFunction kSum>
void run_linear(const ExecContext&, const LinearArgs& args, int64_t begin, int64_t end) {
  Tile tile;
  Tile up;
  for (int64_t item = begin; item < end; ++item) {
    for (int64_t t = 0; t < args.num_tokens; t += kTokenTile) {
      const int64_t count = args.num_tokens - t < kTokenTile ? args.num_tokens - t : kTokenTile;
      if (args.epilogue != Epilogue::kSiluMul) {
        kSum(args, {item, t, count}, tile);
        store(args, {item, t, count}, tile);
        continue;
      }
      kSum(args, {item * 2, t, count}, tile);
      kSum(args, {item * 2 + 1, t, count}, up);
      store_silu_mul(args, {item * 2, t, count}, tile, up);
    }
  }
}

template <DType kType>
void fill_linears(KernelTable& table) {
  auto& entries = table.linear[static_cast<int>(kType)];
  entries[static_cast<int>(ActivationFormat::kF32)] = run_linear<sum_f32<kType>>;
  if constexpr (is_quantized(kType)) {
    entries[static_cast<int>(ActivationFormat::kInt8)] = run_linear<sum_int8<kType>>;
  }
}

}  // namespace

void fill_linear_scalar(KernelTable& table) {
  table.row_group = kRows;
  table.packed_bytes = packed_bytes<kRows>;
  table.activation_bytes = scalar::activation_bytes;
  table.scratch_bytes = [](int64_t) { return int64_t{0}; };
  table.pack = pack<kRows>;
  table.embed = embed<kRows>;
  table.rms_norm = scalar::rms_norm;
  table.quantize = scalar::quantize;
  fill_linears<DType::kF32>(table);
  fill_linears<DType::kF16>(table);
  fill_linears<DType::kBF16>(table);
  fill_linears<DType::kQ4_0>(table);
  fill_linears<DType::kQ4_1>(table);
  fill_linears<DType::kQ8_0>(table);
}

}  // namespace quire
