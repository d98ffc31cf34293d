// How packed weights and int8 activations lie in memory; included by files of every instruction set, so
// everything here has internal linkage.
//
// Weights: groups of R rows (KernelTable::row_group), each a stream of blocks along k:
//   q4_0  [4][R] quads, R fp16 scales
//   q4_1  [4][R] quads, R fp16 scales, R fp16 minima
//   q8_0  [8][R] quads, R fp16 scales
//   f32, f16, bf16: a block is one k: R values
// Quad j of a row of q8_0 is its k 4j..4j+3; of the 4-bit types, its bytes 4j..4j+3 of GGUF's nibbles, so
// the low halves are k 4j..4j+3, the high ones k 16+4j..16+4j+3.
// A block of R rows takes exactly R GGUF blocks' bytes, and rows past the end are zeros. Levels with matrix
// tiles have, of 16 rows:
//   bf16  a block is 32 k, a tile: [16][R] pairs of k 2i, 2i+1; k past the end are zeros
//
// A linear computes, for each output and each block in ascending k, with exact integer sums and else fp32:
//   sum = fma(min_w, s_a, sum)                 4-bit types; q4_0 has min_w = -8 * d_w
//   sum = fma(float(dot(q_w, q_a)) * d_a, d_w, sum)
// from int8 activations (d_a: scale, s_a = d_a * float(sum of the block's quants)), and from fp32 ones
//   sum = sum + w * x                          fused on AVX2 and AVX-512, two roundings in scalar
// for each k in ascending order, where w is the weight as embed() gives it. Matrix tiles multiply bf16
// weights by activations rounded to bf16, as TDPBF16PS is defined, for each 32 k in ascending order:
//   even = fma(w, x, even) over the k 2i, odd the same over the k 2i+1, both from 0
//   sum = sum + (even + odd)
// where subnormal inputs and results count as 0.
#pragma once

#include <cstddef>

#include "tensor/dtype_layout.h"

namespace quire {
namespace {

[[maybe_unused]] constexpr int64_t kQ4Quads = 4;  // 4-byte quads in a row's block
[[maybe_unused]] constexpr int64_t kQ8Quads = 8;

// A tile of bf16 weights.
[[maybe_unused]] constexpr int64_t kBf16TileRows = 16;
[[maybe_unused]] constexpr int64_t kBf16TileCols = 32;
[[maybe_unused]] constexpr int64_t kBf16TileBytes = kBf16TileRows * kBf16TileCols * 2;

// Tiles of one group of rows.
[[maybe_unused]] constexpr int64_t count_bf16_tiles(int64_t cols) {
  return (cols + kBf16TileCols - 1) / kBf16TileCols;
}

// Bytes of one token's block of int8 activations: 32 quants, scale, scaled sum. How tokens interleave is
// each level's own, but n tokens of nb blocks always take n * nb * kActivationBlockBytes.
[[maybe_unused]] constexpr int64_t kActivationBlockBytes = 40;

}  // namespace
}  // namespace quire
