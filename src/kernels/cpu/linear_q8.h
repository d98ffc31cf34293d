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

  // dots[m] += the products of quad j, each step for all tokens before the next.
  template <int kTokens, bool kTiled>
  static void add_products(Int w, const TokenBlock<kTokens, kTiled>& a, int j, Int (&dots)[kTokens]) {
    if constexpr (V::kHasDot) {
#pragma GCC unroll 4
      for (int m = 0; m < kTokens; ++m) {
        const Int biased = V::flip_sign_bits8(V::broadcast_quad(a.quad(m, j)));
        dots[m] = V::dot_u8_s8(dots[m], biased, w);
      }
      return;
    }
    const Int magnitude = V::magnitude8(w);
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
      for (int j = 0; j < kQ8Quads; ++j) add_products(V::load_int(block + j * kQuadBytes), a, j, dots);
      const Float scale = V::load_fp16(block + kQ8Quads * kQuadBytes);
      for (int m = 0; m < kTokens; ++m) {
        sum[m] = V::fma(V::mul(V::to_float(dots[m]), V::broadcast(a.scale(m))), scale, sum[m]);
      }
    }
    for (int m = 0; m < kTokens; ++m) V::store(sums + m * kSumStride, sum[m]);
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    const int64_t num_blocks = args.weight.cols / kQuantBlock;
    run_linear(context, args, begin, end, [&](const SumRange& range, const LinearScratch& scratch) {
      for (int64_t g = 0; g < range.num_groups; ++g) {
        const std::byte* w = args.weight.data + (range.group + g) * num_blocks * kBlockBytes;
        for_each_tile(range.count, [&]<int kTokens, bool kTiled>(int64_t t) {
          stream_tile(w, num_blocks, TokenBlock<kTokens, kTiled>::of(args, range.first + t, 0),
                      scratch.sums + t * kSumStride + g * kRows);
        });
      }
    });
  }
};

}  // namespace
}  // namespace quire
