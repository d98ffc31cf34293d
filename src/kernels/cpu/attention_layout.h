// Where things lie that all attention kernels on the CPU share: keys and values in a block, partial
// results, scratch. One layout for all instruction sets. Everything here has internal linkage (KernelTable
// says why).
//
//   keys of a block    [kv_head][token / lanes][dim][lanes]
//   values of a block  [kv_head][token][dim]
//   a partial          (row, head) after head: maximum, sum, 6 unused, then head_dim sums of weight * value
//
// lanes = min(16, block_size) tokens lie side by side, so that q.k of many tokens needs no horizontal sum.
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

// Tokens whose keys lie side by side. A power of two, as block_size is.
constexpr int32_t key_lanes(int32_t block_size) { return block_size < 16 ? block_size : 16; }

// Element of dimension 0 of the key of token `offset` of a block; dimension d lies d * key_lanes elements
// further.
constexpr int64_t key_offset(const KvCacheView& kv, int32_t kv_head, int32_t offset) {
  const int32_t lanes = key_lanes(kv.block_size);
  const int64_t group = int64_t{kv_head} * (kv.block_size / lanes) + offset / lanes;
  return group * lanes * kv.head_dim + offset % lanes;
}

// Element of dimension 0 of the value of token `offset` of a block; the dimensions are contiguous.
constexpr int64_t value_offset(const KvCacheView& kv, int32_t kv_head, int32_t offset) {
  return (int64_t{kv_head} * kv.block_size + offset) * kv.head_dim;
}

template <class T>
const T* keys_of_block(const KvCacheView& kv, int64_t block) {
  return reinterpret_cast<const T*>(kv.keys + block * kv.block_stride_bytes);
}

template <class T>
const T* values_of_block(const KvCacheView& kv, int64_t block) {
  return reinterpret_cast<const T*>(kv.values + block * kv.block_stride_bytes);
}

inline constexpr int32_t kPartialHeader = 8;  // floats before the sums of a partial

constexpr int64_t partial_stride(int32_t head_dim) { return kPartialHeader + head_dim; }

// (row, head) pairs whose keys are scored together, at most.
inline constexpr int32_t kMaxTileRows = 6;
// Floats between the scores of two rows of a tile: not a multiple of 4 KiB, so that rows do not share cache
// sets.
inline constexpr int32_t kScoreStride = kAttentionChunk + 16;

// Vectors of tokens in a chunk, and those that are fetched ahead, at most.
inline constexpr int32_t kAheadVectors = 8;
inline constexpr int32_t kMaxVectors = kAttentionChunk / 8 + kAheadVectors;

// Scratch of one thread, in floats (pointers count as two). `pairs` is the (row, head) pairs of the largest
// task.
struct AttentionScratch {
  int64_t q, sums, maxima, totals, chunk_sums, scores, keys, values, end;
};

constexpr AttentionScratch attention_scratch(int64_t pairs, int64_t head_dim) {
  constexpr auto padded = [](int64_t floats) { return (floats + 15) / 16 * 16; };
  AttentionScratch at{};
  at.q = 0;
  at.sums = at.q + padded(pairs * head_dim);
  at.maxima = at.sums + padded(pairs * head_dim);
  at.totals = at.maxima + padded(pairs);
  at.chunk_sums = at.totals + padded(pairs);
  at.scores = at.chunk_sums + padded(kMaxTileRows * head_dim);
  at.keys = at.scores + kMaxTileRows * kScoreStride;
  at.values = at.keys + 2 * kMaxVectors;
  at.end = at.values + 2 * kMaxVectors;
  return at;
}

}  // namespace
}  // namespace quire
