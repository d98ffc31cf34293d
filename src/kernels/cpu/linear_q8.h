// q8_0 weights times int8 activations, for any vector width: included by the files of one instruction set
// after its RowVectors. Internal linkage. cpu/packed_layout.h states the sums.
//
// |w| (unsigned) times a with w's sign. A pair of products fills an int16 (2 * 128 * 127), so each is
// widened at once. Where the level multiplies unsigned by signed bytes and sums four products to int32
// (VNNI): (a + 128) * w, less 128 times the sum of w.
#pragma once

#include "kernels/cpu/linear_sums.h"

namespace quire {
namespace {

template <class V = RowVectors>
struct LinearQ8 {
  using Int = typename V::Int;
  using Float = typename V::Float;

  static constexpr int64_t kQuadBytes = 4 * kRows;  // a register: one quad of each row
  static constexpr int64_t kBlockBytes = block_bytes(DType::kQ8_0) * kRows;

  // Of each row of a block: 128 times the sum of its weights.
  static Int sum_of_128(const std::byte* block) {
    Int sum = V::zero_int();
#pragma GCC unroll 8
    for (int j = 0; j < kQ8Quads; ++j)
      sum = V::dot_u8_s8(sum, V::flip_sign_bits8(V::zero_int()), V::load_int(block + j * kQuadBytes));
    return sum;
  }

  // dots[m] += the products of quad j, each step for all tokens before the next. magnitude: |w|.
  template <int kTokens, bool kTiled>
  static void add_products(Int w, Int magnitude, const TokenBlock<kTokens, kTiled>& a, int j,
                           Int (&dots)[kTokens]) {
    if constexpr (V::kHasDot) {
#pragma GCC unroll 4
      for (int m = 0; m < kTokens; ++m) {
        const Int biased = V::flip_sign_bits8(V::broadcast_quad(a.quad(m, j)));
        dots[m] = V::dot_u8_s8(dots[m], biased, w);
      }
      return;
    }
    Int pairs[kTokens];
#pragma GCC unroll 4
    for (int m = 0; m < kTokens; ++m) {
      pairs[m] = V::pairs_u8_s8(magnitude, V::with_sign8(V::broadcast_quad(a.quad(m, j)), w));
      V::pin(pairs[m]);
    }
#pragma GCC unroll 4
    for (int m = 0; m < kTokens; ++m) {
      const Int product = V::sum_pairs16(pairs[m]);
      dots[m] = j == 0 ? product : V::add32(dots[m], product);
      V::pin(dots[m]);
    }
  }

  // sums[token][...] = one group x kTokens tokens: sum = fma(float(dot) * d_a, d_w, sum), block by block.
  template <int kTokens, bool kTiled>
  [[gnu::noinline]] static void stream_tile(const std::byte* block, int64_t num_blocks,
                                            TokenBlock<kTokens, kTiled> a, float* sums) {
    Float sum[kTokens];
    for (int m = 0; m < kTokens; ++m) sum[m] = V::zero();
    for (int64_t b = 0; b < num_blocks; ++b, block += kBlockBytes, a.advance()) {
      prefetch_stream(block, kBlockBytes);
      Int dots[kTokens];
      if constexpr (V::kHasDot) {
        const Int bias = V::sub32(V::zero_int(), sum_of_128(block));
        for (int m = 0; m < kTokens; ++m) dots[m] = bias;
      }
#pragma GCC unroll 8
      for (int j = 0; j < kQ8Quads; ++j) {
        const Int w = V::load_int(block + j * kQuadBytes);
        add_products(w, V::magnitude8(w), a, j, dots);
      }
      const Float scale = V::load_fp16(block + kQ8Quads * kQuadBytes);
      for (int m = 0; m < kTokens; ++m) {
        sum[m] = V::fma(V::mul(V::to_float(dots[m]), V::broadcast(a.scale(m))), scale, sum[m]);
      }
    }
    for (int m = 0; m < kTokens; ++m) V::store(sums + m * kSumStride, sum[m]);
  }

  // sums[token][...] += one group x two whole tiles, the second tile_bytes after the first: what the weights
  // cost is shared by twice the tokens. The dots take half of the registers, so sums stay in memory.
  [[gnu::noinline]] static void stream_two_tiles(const std::byte* block, int64_t num_blocks,
                                                 TokenBlock<kTile, true> a, int64_t tile_bytes,
                                                 float* sums) {
    for (int64_t b = 0; b < num_blocks; ++b, block += kBlockBytes, a.advance()) {
      prefetch_stream(block, kBlockBytes);
      const TokenBlock<kTile, true> tiles[2] = {a, {a.at + tile_bytes, 0}};
      Int dots[2][kTile];
      if constexpr (V::kHasDot) {
        const Int bias = V::sub32(V::zero_int(), sum_of_128(block));
        for (int i = 0; i < 2; ++i)
          for (int m = 0; m < kTile; ++m) dots[i][m] = bias;
      }
#pragma GCC unroll 8
      for (int j = 0; j < kQ8Quads; ++j) {
        Int w = V::load_int(block + j * kQuadBytes);
        V::pin(w);
        Int magnitude = V::magnitude8(w);
        V::pin(magnitude);
        for (int i = 0; i < 2; ++i) add_products(w, magnitude, tiles[i], j, dots[i]);
      }
      const Float scale = V::load_fp16(block + kQ8Quads * kQuadBytes);
      for (int i = 0; i < 2; ++i) {
#pragma GCC unroll 4
        for (int m = 0; m < kTile; ++m) {
          float* at = sums + (i * kTile + m) * kSumStride;
          const Float dot = V::mul(V::to_float(dots[i][m]), V::broadcast(tiles[i].scale(m)));
          V::store(at, V::fma(dot, scale, V::load(at)));
          forget_memory();
        }
      }
    }
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    run_linear(context, args, begin, end, [&](const SumRange& range, const LinearScratch& scratch) {
      sum_by_stream<LinearQ8>(args, range, scratch);
    });
  }
};

}  // namespace
}  // namespace quire
