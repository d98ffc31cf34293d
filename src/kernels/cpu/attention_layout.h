// Where things lie that all attention kernels on the CPU share: keys and values in a block, partial
// results, scratch. One layout for all instruction sets. Everything here has internal linkage
// (KernelTable says why).
//
//   keys of a block and KV head    [token / lanes][dim][lanes]
//   values                         [token][dim]
//   keys, int8                     [token / lanes][dim / 2][lanes][2], then scales [token]
//   values, int8                   [token / 2][dim][2], then scales [token]
//   a partial                      (row, head) after head: maximum, sum, 6 unused, then head_dim sums of
//                                  weight * value
//
// lanes = min(16, block_size) tokens lie side by side, so that q.k of many tokens needs no horizontal
// sum. In int8, what one 16-bit multiply-and-add of pairs sums lies in pairs: two dimensions of a key,
// two tokens' values.
#pragma once

#include "kernels/kernel_args.h"

namespace quire {
namespace {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
using Int8 = int8_t;

// Int8 values are quants * scale; scale = maximum / 127, and a maximum below the least one is taken for
// 0. Of what is not finite the scale is NaN and the quants are 0.
inline constexpr float kMaxQuant = 127.0F;
inline constexpr float kLeastMaximum = 1e-30F;

// Queries are quantized to 16 bits, symmetrically, so that a product of a query and a key fits 32 bits:
// for heads of up to 512, 15 bits and the sign.
constexpr float max_query_quant(int32_t head_dim) {
  return static_cast<float>(head_dim <= 512 ? 32767 : 32767 * 512 / head_dim);
}

// Weights (with the values' scales) are quantized to 0 ... 32767 in each chunk, of which the largest is
// 32767, so that their sums fit 32 bits.
inline constexpr float kMaxWeightQuant = 32767.0F;
static_assert(int64_t{32767} * 127 * kAttentionChunk < int64_t{1} << 31);

// Tokens whose keys lie side by side. A power of two, as block_size is.
constexpr int32_t key_lanes(int32_t block_size) { return block_size < 16 ? block_size : 16; }

// Element of dimension 0 of the key of token `offset` of a block; dimension d lies d * key_lanes elements
// further.
constexpr int64_t key_offset(const KvCacheView& kv, int32_t offset) {
  const int32_t lanes = key_lanes(kv.block_size);
  return int64_t{offset / lanes} * lanes * kv.head_dim + offset % lanes;
}

// Element of dimension 0 of the value of token `offset` of a block; the dimensions are contiguous.
constexpr int64_t value_offset(const KvCacheView& kv, int32_t offset) {
  return int64_t{offset} * kv.head_dim;
}

constexpr int32_t even(int32_t count) { return (count + 1) / 2 * 2; }

// The same for int8: dimensions 2i and 2i + 1 of a key lie at i * 2 * key_lanes and after it; dimension d
// of a value at 2 * d.
constexpr int64_t key_offset_int8(const KvCacheView& kv, int32_t offset) {
  const int32_t lanes = key_lanes(kv.block_size);
  return int64_t{offset / lanes} * lanes * even(kv.head_dim) + offset % lanes * 2;
}
constexpr int64_t value_offset_int8(const KvCacheView& kv, int32_t offset) {
  return int64_t{offset / 2} * 2 * kv.head_dim + offset % 2;
}

inline std::byte* keys_of_block(const KvCacheView& kv, int64_t block, int32_t kv_head) {
  return kv.keys + block * kv.block_stride_bytes + kv_head * kv.head_stride_bytes;
}

inline std::byte* values_of_block(const KvCacheView& kv, int64_t block, int32_t kv_head) {
  return kv.values + block * kv.block_stride_bytes + kv_head * kv.head_stride_bytes;
}

// Scales of int8 keys, or values, [block_size].
inline float* scales_of_block(const KvCacheView& kv, std::byte* keys_or_values) {
  return reinterpret_cast<float*>(keys_or_values + int64_t{kv.block_size} * even(kv.head_dim));
}

inline constexpr int32_t kPartialHeader = 8;  // floats before the sums of a partial

constexpr int64_t partial_stride(int32_t head_dim) { return kPartialHeader + head_dim; }

// (row, head) pairs whose keys are scored together, at most.
inline constexpr int32_t kMaxTileRows = 6;
// Floats between the scores of two rows of a tile: not a multiple of 4 KiB, so that rows do not share
// cache sets.
inline constexpr int32_t kScoreStride = kAttentionChunk + 16;

// Vectors of tokens in a chunk, and those that a tile may pass its end by.
inline constexpr int32_t kMaxVectors = kAttentionChunk / 8 + 8;
// Of the next chunk, those whose keys are fetched while weights are made.
inline constexpr int32_t kFirstVectors = 16;

// Tasks of at least so many pairs first convert a chunk's keys and values to fp32 (but not int8).
inline constexpr int32_t kUnpackPairs = 24;
// Dimensions of such values that lie side by side, at most.
inline constexpr int32_t kMaxPanel = 64;

// Scratch of one thread, in floats (pointers count as two). `pairs` is the (row, head) pairs of the
// largest task.
struct AttentionScratch {
  int64_t q, q_scales, sums, maxima, totals, chunk_sums, scores, weights;
  int64_t keys, values, key_scales, value_scales, next_keys, ahead;  // pointers
  int64_t unpacked_keys, unpacked_values, end;
};

constexpr AttentionScratch attention_scratch(int64_t pairs, int64_t head_dim) {
  constexpr auto padded = [](int64_t floats) { return (floats + 15) / 16 * 16; };
  AttentionScratch at{};
  at.q = 0;
  at.q_scales = at.q + padded(pairs * head_dim + pairs);
  at.sums = at.q_scales + padded(pairs);
  at.maxima = at.sums + padded(pairs * head_dim);
  at.totals = at.maxima + padded(pairs);
  at.chunk_sums = at.totals + padded(pairs);
  at.scores = at.chunk_sums + padded(kMaxTileRows * head_dim);
  at.weights = at.scores + kMaxTileRows * kScoreStride;
  at.keys = at.weights + kMaxTileRows * kScoreStride / 2;
  at.values = at.keys + 2 * kMaxVectors;
  at.key_scales = at.values + 2 * kMaxVectors;
  at.value_scales = at.key_scales + 2 * kMaxVectors;
  at.next_keys = at.value_scales + 2 * kMaxVectors;
  at.ahead = at.next_keys + 2 * kMaxVectors;
  at.unpacked_keys = padded(at.ahead + 2 * kMaxVectors);
  const bool unpacks = pairs >= kUnpackPairs;
  at.unpacked_values = at.unpacked_keys + (unpacks ? kAttentionChunk * head_dim : 0);
  at.end = at.unpacked_values + (unpacks ? kAttentionChunk * (head_dim + kMaxPanel) : 0);
  return at;
}

}  // namespace
}  // namespace quire
