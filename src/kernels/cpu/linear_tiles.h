// Quantized weights times int8 activations on matrix tiles (AMX), for many tokens: included after
// RowVectors of 16 rows and Tiles. Internal linkage. cpu/packed_layout.h states the sums; these give the
// same bits as the other forms, so the last tokens, that fill no strip, are left to those.
//
// Per block of 32 k, two strips of 16 tokens times two groups of 16 rows give four tiles of exact int32
// dots, which are stored and folded: scales that change every 32 k break the tiles' own chains.
#pragma once

#include "kernels/cpu/linear_q4.h"
#include "kernels/cpu/linear_q8.h"

namespace quire {
namespace {

// Unpacked weights, per block: [8 quads][2 groups] registers of bytes, then scales and minima of each
// group.
constexpr int64_t kTileRowBytes = kPanelGroups * kRows * 4;
constexpr int64_t kTileQuantBytes = kQ8Quads * kTileRowBytes;
constexpr int64_t kTilePanelBlock = kTileQuantBytes + kPanelGroups * 2 * kRows * 4;
constexpr int64_t kTilePanelBlocks = RowVectors::kPanelBlocks;

constexpr int64_t kDotsBytes = 2 * kPanelGroups * kStrip * kRows * 4;

constexpr int64_t kTileScratchBytes = kLinearScratchBytes + kTilePanelBlocks * kTilePanelBlock + kDotsBytes;

template <DType kType, class V = RowVectors>
struct LinearTiles {
  using Int = typename V::Int;
  using Float = typename V::Float;
  static constexpr bool kSigned = kType == DType::kQ8_0;  // else nibbles, with a minimum
  static constexpr int64_t kQuads = kSigned ? kQ8Quads : kQ4Quads;
  static constexpr int64_t kQuadBytes = 4 * kRows;
  static constexpr int64_t kBlockBytes = block_bytes(kType) * kRows;

  struct Scratch {
    explicit Scratch(const ExecContext& context)
        : sums(reinterpret_cast<float*>(context.scratch)),
          panel(context.scratch + kLinearScratchBytes),
          dots(reinterpret_cast<int32_t*>(panel + kTilePanelBlocks * kTilePanelBlock)) {}
    float* sums;  // [count][kSumStride]
    std::byte* panel;
    int32_t* dots;  // [2 strips][2 groups][16 tokens][16 rows]
  };

  static void unpack_group(const std::byte* block, int64_t group, std::byte* panel) {
    std::byte* quads = panel + group * kQuadBytes;
    for (int64_t j = 0; j < kQuads; ++j) {
      const Int w = V::load_int(block + j * kQuadBytes);
      if constexpr (kSigned) {
        V::store_int(quads + j * kTileRowBytes, w);
      } else {
        V::store_int(quads + j * kTileRowBytes, V::low_nibbles(w));
        V::store_int(quads + (j + kQ4Quads) * kTileRowBytes, V::high_nibbles(w));
      }
    }
    auto* scales = reinterpret_cast<float*>(panel + kTileQuantBytes) + group * 2 * kRows;
    if constexpr (kSigned) {
      V::store(scales, V::load_fp16(block + kQuads * kQuadBytes));
    } else {
      const auto w = LinearQ4<kType>::load_scales(block);
      V::store(scales, w.scale);
      V::store(scales + kRows, w.minimum);
    }
  }

  // sums += one block of one strip and group.
  static void fold(const int32_t* dots, const std::byte* strip, const float* scales, float* sums) {
    const auto* token_scale = reinterpret_cast<const float*>(strip + kStripQuantBytes);
    const Float scale = V::load(scales);
    const Float minimum = kSigned ? V::zero() : V::load(scales + kRows);
    for (int64_t m = 0; m < kStrip; ++m, dots += kRows, sums += kSumStride) {
      const Float dot = V::to_float(V::load_int(reinterpret_cast<const std::byte*>(dots)));
      Float sum = V::load(sums);
      if constexpr (!kSigned) sum = V::fma(minimum, V::broadcast(token_scale + kStrip + m), sum);
      V::store(sums, V::fma(V::mul(dot, V::broadcast(token_scale + m)), scale, sum));
    }
  }

  // One unpacked chunk of two groups times two strips (or one, twice) from block `b` on.
  static void multiply_strips(const Scratch& scratch, const std::byte* strip, const std::byte* other,
                              int64_t depth, float* sums) {
    const bool two = strip != other;
    const std::byte* panel = scratch.panel;
    for (int64_t b = 0; b < depth; ++b) {
      Tiles::multiply<kSigned>(strip, other, panel, scratch.dots);
      const auto* scales = reinterpret_cast<const float*>(panel + kTileQuantBytes);
      for (int64_t g = 0; g < kPanelGroups; ++g) {
        const int32_t* dots = scratch.dots + g * kStrip * kRows;
        fold(dots, strip, scales + g * 2 * kRows, sums + g * kRows);
        if (two) {
          fold(dots + kPanelGroups * kStrip * kRows, other, scales + g * 2 * kRows,
               sums + kStrip * kSumStride + g * kRows);
        }
      }
      strip += kStripBlockBytes, other += kStripBlockBytes, panel += kTilePanelBlock;
    }
  }

  // `count` strips, whose tokens begin at `first`.
  static void run_strips(const LinearArgs& args, int64_t first, int64_t count, int64_t begin, int64_t end,
                         const Scratch& scratch) {
    const int64_t num_blocks = args.weight.cols / kQuantBlock;
    const int64_t stride = num_blocks * kBlockBytes;
    const int64_t strip_bytes = num_blocks * kStripBlockBytes;
    const std::byte* strips = args.activations + first / kStrip * strip_bytes;
    for_each_group_pair(args, begin, end, [&](int64_t group, int64_t num_groups) {
      const std::byte* w = args.weight.data + group * stride;
      __builtin_memset(scratch.sums, 0, static_cast<size_t>(count * kStrip * kSumStride) * sizeof(float));
      for (int64_t b = 0; b < num_blocks; b += kTilePanelBlocks) {
        const int64_t depth = num_blocks - b < kTilePanelBlocks ? num_blocks - b : kTilePanelBlocks;
        for (int64_t i = 0; i < depth; ++i) {
          const std::byte* block = w + (b + i) * kBlockBytes;
          std::byte* panel = scratch.panel + i * kTilePanelBlock;
          unpack_group(block, 0, panel);
          unpack_group(num_groups == kPanelGroups ? block + stride : block, 1, panel);
        }
        for (int64_t s = 0; s < count; s += 2) {
          const std::byte* strip = strips + s * strip_bytes + b * kStripBlockBytes;
          const std::byte* other = s + 1 < count ? strip + strip_bytes : strip;
          multiply_strips(scratch, strip, other, depth, scratch.sums + s * kStrip * kSumStride);
        }
      }
      store_sums(args, {group, num_groups, first, count * kStrip}, scratch.sums);
    });
  }

  static void run_rest(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    if constexpr (kSigned) {
      LinearQ8<>::run(context, args, begin, end);
    } else {
      LinearQ4<kType>::run(context, args, begin, end);
    }
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    const int64_t whole = args.num_tokens / kStrip * kStrip;
    if (whole > 0) {
      const Scratch scratch(context);
      Tiles::configure();
      for (int64_t t = 0; t < whole; t += kSumTokens) {
        const int64_t count = (whole - t < kSumTokens ? whole - t : kSumTokens) / kStrip;
        run_strips(args, t, count, begin, end, scratch);
      }
      Tiles::release();
    }
    if (whole < args.num_tokens) run_rest(context, tokens_from(args, whole), begin, end);
  }

  // The tokens from `first`, a multiple of a strip, on.
  static LinearArgs tokens_from(LinearArgs args, int64_t first) {
    args.activations += first * (args.weight.cols / kQuantBlock) * kActivationBlockBytes;
    args.out += first * args.out_stride;
    args.num_tokens -= first;
    return args;
  }
};

}  // namespace
}  // namespace quire
