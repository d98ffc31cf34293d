// Weights of any type times fp32 activations, for any vector width: included by the files of one
// instruction set after its RowVectors. Internal linkage. cpu/packed_layout.h states the sums.
//
// Up to two groups are converted to fp32 in L1, k by k, and register tiles run over them.
#pragma once

#include "kernels/cpu/linear_sums.h"

namespace quire {
namespace {

template <DType kType>
struct LinearF32 {
  using V = RowVectors;
  using Int = V::Int;
  using Float = V::Float;

  static constexpr int64_t kBlockCols = block_elements(kType);
  static constexpr int64_t kBlockBytes = block_bytes(kType) * kRows;
  // k in a panel: whole blocks.
  static constexpr int64_t kPanelDepth =
      kPanelBytes / (kPanelGroups * kRows * 4) / kQuantBlock * kQuantBlock;

  // One block of 32 k; out[k] holds a group's rows, kStride floats apart. Weights are rounded as embed()
  // gives them.
  template <int64_t kStride>
  static void convert_quantized(const std::byte* block, float* out) {
    constexpr int64_t kQuadBytes = 4 * kRows;
    constexpr int64_t kQuads = kType == DType::kQ8_0 ? kQ8Quads : kQ4Quads;
    const std::byte* headers = block + kQuads * kQuadBytes;
    const Float scale = V::load_fp16(headers);
    const Float minimum = kType == DType::kQ4_1 ? V::load_fp16(headers + 2 * kRows) : V::zero();
    const auto put = [&](int64_t k, Int quant) {
      Float w = V::to_float(quant);
      if constexpr (kType == DType::kQ4_0) w = V::sub(w, V::set1(8.0F));
      w = V::mul(scale, w);
      V::store(out + k * kStride, kType == DType::kQ4_1 ? V::add(w, minimum) : w);
    };
    const auto put_quad = [&](int64_t k, Int quad) {
      constexpr bool kSigned = kType == DType::kQ8_0;
      put(k, V::byte_of_quad<0, kSigned>(quad));
      put(k + 1, V::byte_of_quad<1, kSigned>(quad));
      put(k + 2, V::byte_of_quad<2, kSigned>(quad));
      put(k + 3, V::byte_of_quad<3, kSigned>(quad));
    };
    for (int64_t j = 0; j < kQuads; ++j) {
      const Int quad = V::load_int(block + j * kQuadBytes);
      if constexpr (kType == DType::kQ8_0) {
        put_quad(j * 4, quad);
      } else {
        put_quad(j * 4, V::low_nibbles(quad));
        put_quad(j * 4 + 16, V::high_nibbles(quad));
      }
    }
  }

  // `depth` k of one group, from its block `data` on.
  template <int64_t kStride>
  static void convert(const std::byte* data, int64_t depth, float* out) {
    for (int64_t k = 0; k < depth; k += kBlockCols, data += kBlockBytes, out += kBlockCols * kStride) {
      if constexpr (is_quantized(kType)) {
        convert_quantized<kStride>(data, out);
      } else if constexpr (kType == DType::kF32) {
        V::store(out, V::load(reinterpret_cast<const float*>(data)));
      } else {
        V::store(out, kType == DType::kF16 ? V::load_fp16(data) : V::load_bf16(data));
      }
    }
  }

  // sums[token][...] += panel[k][kGroups * kRows] * x[token][k], in ascending k.
  template <int kGroups, int kTokens>
  [[gnu::noinline]] static void panel_tile(const float* panel, int64_t depth, const float* x,
                                           int64_t x_stride, float* sums) {
    Float sum[kTokens][kGroups];
#pragma GCC unroll 12
    for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
      for (int g = 0; g < kGroups; ++g) sum[t][g] = V::load(sums + t * kSumStride + g * kRows);
    }
    for (int64_t k = 0; k < depth; ++k, panel += kGroups * kRows) {
      Float w[kGroups];
#pragma GCC unroll 2
      for (int g = 0; g < kGroups; ++g) w[g] = V::load(panel + g * kRows);
#pragma GCC unroll 12
      for (int t = 0; t < kTokens; ++t) {
        const Float value = V::broadcast(x + t * x_stride + k);
#pragma GCC unroll 2
        for (int g = 0; g < kGroups; ++g) sum[t][g] = V::fma(w[g], value, sum[t][g]);
      }
    }
#pragma GCC unroll 12
    for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
      for (int g = 0; g < kGroups; ++g) V::store(sums + t * kSumStride + g * kRows, sum[t][g]);
    }
  }

  template <int kGroups>
  static void sum_groups(const LinearArgs& args, const SumRange& range, const LinearScratch& scratch) {
    const int64_t cols = args.weight.cols;
    const int64_t group_bytes = cols / kBlockCols * kBlockBytes;
    const std::byte* w = args.weight.data + range.group * group_bytes;
    const int64_t stride = args.activation_stride;
    const float* x = reinterpret_cast<const float*>(args.activations) + range.first * stride;
    auto* panel = reinterpret_cast<float*>(scratch.panel);
    __builtin_memset(scratch.sums, 0, static_cast<size_t>(range.count * kSumStride) * sizeof(float));
    for (int64_t k = 0; k < cols; k += kPanelDepth) {
      const int64_t depth = cols - k < kPanelDepth ? cols - k : kPanelDepth;
      for (int g = 0; g < kGroups; ++g) {
        convert<kGroups * kRows>(w + g * group_bytes + k / kBlockCols * kBlockBytes, depth,
                                 panel + g * kRows);
      }
      const auto tile = [&]<int kTokens>(int64_t t) {
        panel_tile<kGroups, kTokens>(panel, depth, x + t * stride + k, stride,
                                     scratch.sums + t * kSumStride);
      };
      int64_t t = 0;
      for (; t + V::kPlainTokens <= range.count; t += V::kPlainTokens)
        tile.template operator()<V::kPlainTokens>(t);
      for (; t + 2 <= range.count; t += 2) tile.template operator()<2>(t);
      if (t < range.count) tile.template operator()<1>(t);
    }
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    run_linear(context, args, begin, end, [&](const SumRange& range, const LinearScratch& scratch) {
      if (range.num_groups == kPanelGroups) {
        sum_groups<kPanelGroups>(args, range, scratch);
      } else {
        sum_groups<1>(args, range, scratch);
      }
    });
  }
};

}  // namespace
}  // namespace quire
