// The register tiles of paged attention, for any vector width: included by the files of one instruction set
// after that set's Simd. Internal linkage.
//
// A tile is up to kMaxTileRows pairs (a row and one of the query heads that share a KV head). Every sum
// runs in one chain, dimension by dimension or key by key in ascending order, so its bits do not depend on
// the tile's height.
#pragma once

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

// Where a chunk's keys and values lie: a pointer for every Simd::kLanes tokens, and for kAheadVectors more
// that are only fetched.
template <class T>
struct ChunkView {
  const T* const* keys;
  const T* const* values;  // rows of head_dim
  int64_t key_stride;      // between dimensions of a key
  int32_t head_dim;
};

// Blocks lie anywhere, so the hardware cannot guess which lines come next.
template <class T>
void fetch(const T* from) {
  __builtin_prefetch(from, 0, 3);
}

// kRows x kVectors vectors of sums, in registers: every loop over them is unrolled, and the functions whose
// inner loop they are keep all registers for themselves (noinline).
template <int kRows, int kVectors>
struct Tile {
  using Vec = Simd::Vec;
  Vec sums[kRows][kVectors];

  // sums[m][v] += row(m) * vector(v). The fewer of the two are kept at hand.
  template <class Row, class Vector>
  void add(Row row, Vector vector) {
    if constexpr (kRows < kVectors) {
      Vec rows[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) rows[m] = Simd::set1(row(m));
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const Vec x = vector(v);
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) sums[m][v] = Simd::fma(rows[m], x, sums[m][v]);
      }
    } else {
      Vec vectors[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) vectors[v] = vector(v);
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        const Vec x = Simd::set1(row(m));
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[m][v] = Simd::fma(x, vectors[v], sums[m][v]);
      }
    }
  }

  // visit(m, v, sum) for every sum.
  template <class Visit>
  void each(Visit visit) {
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) visit(m, v, sums[m][v]);
    }
  }
};

// scores[m][lane of vector v] = q[m] . key, for kVectors vectors of keys. q: [head_dim][kRows].
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void score_tile(const ChunkView<T>& chunk, const float* q, int32_t first_vector,
                                  float* scores) {
  Tile<kRows, kVectors> tile;
  tile.each([](int, int, Simd::Vec& sum) { sum = Simd::zero(); });
  const T* const* keys = chunk.keys + first_vector;
  const int64_t end = chunk.head_dim * chunk.key_stride;
  for (int64_t at = 0; at < end; at += chunk.key_stride, q += kRows) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v += 16 / Simd::kLanes) fetch(keys[v + kAheadVectors] + at);
    tile.add([&](int m) { return q[m]; }, [&](int v) { return Simd::load(keys[v] + at); });
  }
  tile.each([&](int m, int v, const Simd::Vec& sum) {
    Simd::store(scores + m * kScoreStride + v * Simd::kLanes, sum);
  });
}

// Scores of the chunk's first `vectors` vectors of keys, and of a few more: what lies beyond a row's limit
// is noise.
template <int kRows, class T>
void score_chunk(const ChunkView<T>& chunk, const float* q, int32_t vectors, float* scores) {
  constexpr int kVectors = Simd::vectors(kRows);
  for (int32_t v = 0; v < vectors; v += kVectors) {
    score_tile<kRows, kVectors>(chunk, q, v, scores + v * Simd::kLanes);
  }
}

// Turns `count` >= 1 scores (in units of log2) into weights 2^(score - maximum). Lanes past the count
// become 0.
inline void softmax_row(float* scores, int32_t count, float& maximum, float& total) {
  using Vec = Simd::Vec;
  constexpr int32_t kLanes = Simd::kLanes;
  const int32_t whole = count / kLanes * kLanes;
  const Vec nothing = Simd::set1(-__builtin_inff());
  Vec highest = nothing;
  for (int32_t j = 0; j < whole; j += kLanes) highest = Simd::max(highest, Simd::load(scores + j));
  if (whole < count) {
    const Vec rest = Simd::first_lanes(Simd::load(scores + whole), nothing, count - whole);
    Simd::store(scores + whole, rest);
    highest = Simd::max(highest, rest);
  }
  maximum = Simd::highest(highest);
  const Vec base = Simd::set1(maximum);
  Vec sum = Simd::zero();
  for (int32_t j = 0; j < count; j += kLanes) {
    const Vec weight = Simd::exp2(Simd::sub(Simd::load(scores + j), base));
    Simd::store(scores + j, weight);
    sum = Simd::add(sum, weight);
  }
  total = Simd::sum(sum);
}

// to[m][d] += weights[m][j] * value[j][d] for keys j in [begin, end) and kVectors vectors of dimensions
// from d. to: rows head_dim apart.
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void value_tile(const ChunkView<T>& chunk, const float* weights, int32_t begin,
                                  int32_t end, int32_t d, float* to) {
  constexpr int32_t kLanes = Simd::kLanes;
  constexpr int32_t kLineVectors = 64 / (kLanes * static_cast<int32_t>(sizeof(T)));
  const int64_t head_dim = chunk.head_dim;
  Tile<kRows, kVectors> tile;
  tile.each([&](int m, int v, Simd::Vec& sum) { sum = Simd::load(to + m * head_dim + d + v * kLanes); });
  for (int32_t j = begin; j < end;) {
    const int32_t group_end = (j / kLanes + 1) * kLanes;
    const int32_t stop = group_end < end ? group_end : end;
    const int64_t offset = j % kLanes * head_dim + d;
    const T* value = chunk.values[j / kLanes] + offset;
    const T* ahead = chunk.values[j / kLanes + kAheadVectors] + offset;
    for (; j < stop; ++j, value += head_dim, ahead += head_dim) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; v += kLineVectors) fetch(ahead + v * kLanes);
      tile.add([&](int m) { return weights[m * kScoreStride + j]; },
               [&](int v) { return Simd::load(value + v * kLanes); });
    }
  }
  tile.each(
      [&](int m, int v, const Simd::Vec& sum) { Simd::store(to + m * head_dim + d + v * kLanes, sum); });
}

// The same for all dimensions, in the widest tiles that fit.
template <int kRows, int kVectors, class T>
void value_rows(const ChunkView<T>& chunk, const float* weights, int32_t begin, int32_t end, int32_t d,
                float* to) {
  constexpr int32_t kStep = kVectors * Simd::kLanes;
  for (; d + kStep <= chunk.head_dim; d += kStep) {
    value_tile<kRows, kVectors>(chunk, weights, begin, end, d, to);
  }
  if constexpr (kVectors > 1) {
    if (d < chunk.head_dim) value_rows<kRows, kVectors / 2>(chunk, weights, begin, end, d, to);
  }
}

// The same in runs of keys whose values fit the first-level cache, as each tile of dimensions passes over
// them.
template <int kRows, class T>
void weigh_values(const ChunkView<T>& chunk, const float* weights, int32_t begin, int32_t end, float* to) {
  constexpr int32_t kRun = 64;
  for (int32_t stop = 0; begin < end; begin = stop) {
    stop = begin + kRun < end ? begin + kRun : end;
    value_rows<kRows, Simd::vectors(kRows)>(chunk, weights, begin, stop, 0, to);
  }
}

}  // namespace
}  // namespace quire
