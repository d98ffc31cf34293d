// q4_0 and q4_1 weights times int8 activations, for any vector width: included by the files of one
// instruction set after its RowVectors. Internal linkage. cpu/packed_layout.h states the sums.
//
// Nibbles stay unsigned: eight sums of pairs of products (u8 x s8) fit in int16 (8 * 2 * 15 * 128), so a
// block of 32 needs one widening, or none where the level sums four products to int32 (VNNI). The minimum
// (q4_0: -8 * scale) is applied to the activations' scaled sum.
// Two forms:
// - stream, for few tokens: one group x up to 8 tokens at a time straight from the packed weights, nibbles
//   split in registers;
// - panel, for many: two groups are unpacked to L1, and tiles of 2 groups x 4 tokens run over them.
#pragma once

#include "kernels/cpu/linear_sums.h"

namespace quire {
namespace {

template <DType kType, class V = RowVectors>
struct LinearQ4 {
  using Int = typename V::Int;
  using Float = typename V::Float;

  static constexpr int64_t kPanelMinTokens = 16;
  static constexpr int64_t kQuadBytes = 4 * kRows;  // a register: one quad of each row
  static constexpr int64_t kBlockBytes = block_bytes(kType) * kRows;
  // A block of a panel: [8 quads][2 groups] registers of bytes, then scales and minima of each group.
  static constexpr int64_t kPanelQuantBytes = 8 * kPanelGroups * kQuadBytes;
  static constexpr int64_t kPanelBlockBytes = kPanelQuantBytes + kPanelGroups * 2 * kRows * 4;
  static_assert(V::kPanelBlocks * kPanelBlockBytes == kPanelBytes);

  struct Scales {
    Float scale;
    Float minimum;
  };

  static Scales load_scales(const std::byte* block) {
    const std::byte* headers = block + kQ4Quads * kQuadBytes;
    const Float scale = V::load_fp16(headers);
    if constexpr (kType == DType::kQ4_0) return {scale, V::mul(scale, V::set1(-8.0F))};
    return {scale, V::load_fp16(headers + 2 * kRows)};
  }

  // fma(float(dot) * d_a, d_w, fma(min_w, s_a, sum))
  static Float fold(Int dots, const Scales& w, Float token_scale, Float token_sum, Float sum) {
    const Float dot = V::to_float(V::kHasDot ? dots : V::sum_pairs16(dots));
    return V::fma(V::mul(dot, token_scale), w.scale, V::fma(w.minimum, token_sum, sum));
  }
  template <class Tokens>
  static Float fold(Int dots, const Scales& w, const Tokens& a, int token, Float sum) {
    return fold(dots, w, V::broadcast(a.scale(token)), V::broadcast(a.scaled_sum(token)), sum);
  }

  // dots[m] += the products of quad j. First the products, then the sums: Zen 3 runs that 7% faster than by
  // turns.
  template <int kTokens, bool kTiled>
  static void add_products(Int w, const TokenBlock<kTokens, kTiled>& a, int j, Int (&dots)[kTokens]) {
    if constexpr (V::kHasDot) {
#pragma GCC unroll 4
      for (int m = 0; m < kTokens; ++m) {
        dots[m] = V::dot_u8_s8(j == 0 ? V::zero_int() : dots[m], w, V::broadcast_quad(a.quad(m, j)));
      }
      return;
    }
    Int products[kTokens];
#pragma GCC unroll 4
    for (int m = 0; m < kTokens; ++m) {
      products[m] = V::pairs_u8_s8(w, V::broadcast_quad(a.quad(m, j)));
      V::pin(products[m]);
    }
#pragma GCC unroll 4
    for (int m = 0; m < kTokens; ++m) {
      dots[m] = j == 0 ? products[m] : V::add16(dots[m], products[m]);
      V::pin(dots[m]);
    }
  }

  // sums[token][...] = one group x kTokens tokens.
  template <int kTokens, bool kTiled>
  [[gnu::noinline]] static void stream_tile(const std::byte* block, int64_t num_blocks,
                                            TokenBlock<kTokens, kTiled> a, float* sums) {
    Float sum[kTokens];
    for (int m = 0; m < kTokens; ++m) sum[m] = V::zero();
    for (int64_t b = 0; b < num_blocks; ++b, block += kBlockBytes, a.advance()) {
      prefetch_stream(block, kBlockBytes);
      Int dots[kTokens];
#pragma GCC unroll 4
      for (int j = 0; j < kQ4Quads; ++j) {
        const Int both = V::load_int(block + j * kQuadBytes);
        add_products(V::low_nibbles(both), a, j, dots);
        add_products(V::high_nibbles(both), a, j + 4, dots);
      }
      const Scales w = load_scales(block);
      for (int m = 0; m < kTokens; ++m) sum[m] = fold(dots[m], w, a, m, sum[m]);
    }
    for (int m = 0; m < kTokens; ++m) V::store(sums + m * kSumStride, sum[m]);
  }

  // sums[token][...] += one group x two whole tiles, the second tile_bytes after the first. The dots take
  // half of the registers, so sums stay in memory.
  [[gnu::noinline]] static void stream_two_tiles(const std::byte* block, int64_t num_blocks,
                                                 TokenBlock<kTile, true> a, int64_t tile_bytes,
                                                 float* sums) {
    for (int64_t b = 0; b < num_blocks; ++b, block += kBlockBytes, a.advance()) {
      prefetch_stream(block, kBlockBytes);
      const TokenBlock<kTile, true> tiles[2] = {a, {a.at + tile_bytes, 0}};
      Int dots[2][kTile];
#pragma GCC unroll 4
      for (int j = 0; j < kQ4Quads; ++j) {
        Int both = V::load_int(block + j * kQuadBytes);
        V::pin(both);
        Int low = V::low_nibbles(both);
        V::pin(low);
        for (int i = 0; i < 2; ++i) add_products(low, tiles[i], j, dots[i]);
        Int high = V::high_nibbles(both);
        V::pin(high);
        for (int i = 0; i < 2; ++i) add_products(high, tiles[i], j + 4, dots[i]);
      }
      const Scales w = load_scales(block);
      for (int i = 0; i < 2; ++i) {
#pragma GCC unroll 4
        for (int m = 0; m < kTile; ++m) {
          float* at = sums + (i * kTile + m) * kSumStride;
          V::store(at, fold(dots[i][m], w, tiles[i], m, V::load(at)));
          forget_memory();
        }
      }
    }
  }

  // `first` is the first group's first block; the second group lies group_stride bytes on.
  static void unpack(const std::byte* first, int64_t group_stride, int64_t num_blocks, std::byte* panel) {
    for (int64_t b = 0; b < num_blocks; ++b, first += kBlockBytes, panel += kPanelBlockBytes) {
      auto* scales = reinterpret_cast<float*>(panel + kPanelQuantBytes);
      for (int64_t g = 0; g < kPanelGroups; ++g, scales += 2 * kRows) {
        const std::byte* block = first + g * group_stride;
        for (int64_t j = 0; j < kQ4Quads; ++j) {
          const Int both = V::load_int(block + j * kQuadBytes);
          V::store_int(panel + (j * kPanelGroups + g) * kQuadBytes, V::low_nibbles(both));
          V::store_int(panel + ((j + 4) * kPanelGroups + g) * kQuadBytes, V::high_nibbles(both));
        }
        const Scales w = load_scales(block);
        V::store(scales, w.scale);
        V::store(scales + kRows, w.minimum);
      }
    }
  }

  // sums[token][...] += two unpacked groups x kTokens tokens. The dots take all registers, so sums stay in
  // memory.
  template <int kTokens, bool kTiled>
  [[gnu::noinline]] static void panel_tile(const std::byte* panel, int64_t num_blocks,
                                           TokenBlock<kTokens, kTiled> a, AheadLines ahead, float* sums) {
    for (int64_t b = 0; b < num_blocks; ++b, panel += kPanelBlockBytes, a.advance()) {
      Int dots[kTokens][kPanelGroups];
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) {
        if (j % (8 / kAheadLines) == 0)
          __builtin_prefetch(ahead.at + j / (8 / kAheadLines) * kCacheLine, 0, 2);
        Int w[kPanelGroups];
#pragma GCC unroll 2
        for (int g = 0; g < kPanelGroups; ++g) {
          w[g] = V::load_int(panel + (j * kPanelGroups + g) * kQuadBytes);
          V::pin(w[g]);
        }
#pragma GCC unroll 4
        for (int m = 0; m < kTokens; ++m) add_products(w, V::broadcast_quad(a.quad(m, j)), j == 0, dots[m]);
      }
      ahead.at += ahead.stride;
      const auto* scales = reinterpret_cast<const float*>(panel + kPanelQuantBytes);
      Scales w[kPanelGroups];
#pragma GCC unroll 2
      for (int g = 0; g < kPanelGroups; ++g) {
        w[g] = {V::load(scales + g * 2 * kRows), V::load(scales + (g * 2 + 1) * kRows)};
        V::pin(w[g].scale);
        V::pin(w[g].minimum);
      }
#pragma GCC unroll 4
      for (int m = 0; m < kTokens; ++m) {
        Float scale = V::broadcast(a.scale(m));
        Float scaled_sum = V::broadcast(a.scaled_sum(m));
        V::pin(scale);
        V::pin(scaled_sum);
#pragma GCC unroll 2
        for (int g = 0; g < kPanelGroups; ++g) {
          float* at = sums + m * kSumStride + g * kRows;
          V::store(at, fold(dots[m][g], w[g], scale, scaled_sum, V::load(at)));
          forget_memory();
        }
      }
    }
  }

  // dots[g] = (first ? 0 : dots[g]) + the products of one token's quad with that of each group.
  static void add_products(const Int (&w)[kPanelGroups], Int quad, bool first, Int (&dots)[kPanelGroups]) {
    if constexpr (V::kHasDot) {
#pragma GCC unroll 2
      for (int g = 0; g < kPanelGroups; ++g)
        dots[g] = V::dot_u8_s8(first ? V::zero_int() : dots[g], w[g], quad);
      return;
    }
    Int products[kPanelGroups];
    V::pin(quad);
#pragma GCC unroll 2
    for (int g = 0; g < kPanelGroups; ++g) {
      products[g] = V::pairs_u8_s8(w[g], quad);
      V::pin(products[g]);
    }
#pragma GCC unroll 2
    for (int g = 0; g < kPanelGroups; ++g) {
      dots[g] = first ? products[g] : V::add16(dots[g], products[g]);
      V::pin(dots[g]);
    }
  }

  static void sum_by_panel(const LinearArgs& args, const SumRange& range, const LinearScratch& scratch) {
    const int64_t num_blocks = args.weight.cols / kQuantBlock;
    const int64_t stride = num_blocks * kBlockBytes;
    const std::byte* w = args.weight.data + range.group * stride;
    __builtin_memset(scratch.sums, 0, static_cast<size_t>(range.count * kSumStride) * sizeof(float));
    for (int64_t b = 0; b < num_blocks; b += V::kPanelBlocks) {
      const int64_t depth = num_blocks - b < V::kPanelBlocks ? num_blocks - b : V::kPanelBlocks;
      const std::byte* chunk = w + b * kBlockBytes;
      unpack(chunk, stride, depth, scratch.panel);
      const bool last = b + depth == num_blocks;
      PanelPrefetch next(last ? w + kPanelGroups * stride : chunk + depth * kBlockBytes, stride,
                         depth * kBlockBytes, (range.count + kTile - 1) / kTile);
      for_each_tile(range.count, [&]<int kTokens, bool kTiled>(int64_t t) {
        next.step();
        const AheadLines ahead = scratch.ahead.next(kPanelGroups * kTokens * depth, depth, scratch.panel);
        panel_tile(scratch.panel, depth, TokenBlock<kTokens, kTiled>::of(args, range.first + t, b), ahead,
                   scratch.sums + t * kSumStride);
      });
    }
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    run_linear(context, args, begin, end, [&](const SumRange& range, const LinearScratch& scratch) {
      if (range.num_groups == kPanelGroups && args.num_tokens >= kPanelMinTokens) {
        sum_by_panel(args, range, scratch);
      } else {
        sum_by_stream<LinearQ4>(args, range, scratch);
      }
    });
  }
};

}  // namespace
}  // namespace quire
