// The register tiles of paged attention, for any vector width: included by the files of one instruction
// set after that set's Simd. Internal linkage.
//
// A tile is up to kMaxTileRows pairs (a row and one of the query heads that share a KV head). Every sum
// runs in one chain, dimension by dimension or key by key in ascending order, so its bits do not depend
// on the tile's height.
#pragma once

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

// Where a chunk's keys and values lie: a pointer for every Simd::kLanes tokens. Of int8, the placement
// within is attention_int8.h's.
template <class T>
struct ChunkView {
  const T* const* keys;
  const T* const* values;
  const T* const* ahead;       // what to fetch while keys are scored, a vector's bytes each,
  const T* const* next_keys;   // and while values are weighed
  const float* const* scales;  // of int8 keys
  const float* const* value_scales;
  int64_t key_stride;    // between dimensions of a key
  int64_t value_stride;  // between tokens' values
  int64_t panel_stride;  // between panels of kPanel dimensions of values
  int32_t head_dim;
};

// fp32 keys and values that a task has converted from those of the cache: they lie in the caches already.
struct Unpacked {
  float value;
};

// Dimensions of values in a panel: what a tile of most rows takes at once.
inline constexpr int32_t kPanel = Simd::vectors(kMaxTileRows) * Simd::kLanes;

// Asks for `kBytes` from `from` on: blocks lie anywhere, so the hardware cannot guess which lines come
// next. While keys are scored the values of the same chunk are fetched, and while those are weighed the
// keys of the next; or in both, what is next to be done for several heads, whose keys and values lie side
// by side: memory gives pieces of 12 KiB faster than pieces of 4. Tens of KiB ahead, so the lines go to the
// second-level cache.
template <int kBytes>
[[gnu::always_inline]] inline void fetch(const void* from) {
#pragma GCC unroll 8
  for (int at = 0; at < kBytes; at += 64) {
    __builtin_prefetch(static_cast<const std::byte*>(from) + at, 0, 2);
  }
}

struct Floats {
  using Vec = Simd::Vec;
  static Vec broadcast(float x) { return Simd::set1(x); }
  static Vec multiply_add(Vec a, Vec b, Vec sum) { return Simd::fma(a, b, sum); }
};

// kRows x kVectors vectors of sums, in registers: every loop over them is unrolled, and the functions
// whose inner loop they are keep all registers for themselves (noinline).
template <int kRows, int kVectors, class Numbers = Floats>
struct Tile {
  using Vec = typename Numbers::Vec;
  Vec sums[kRows][kVectors];

  // sums[m][v] += row(m) * vector(v). The fewer of the two are kept at hand.
  template <class Row, class Vector>
  [[gnu::always_inline]] void add(Row row, Vector vector) {
    if constexpr (kRows < kVectors) {
      Vec rows[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) rows[m] = Numbers::broadcast(row(m));
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const Vec x = vector(v);
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) sums[m][v] = Numbers::multiply_add(rows[m], x, sums[m][v]);
      }
    } else {
      Vec vectors[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) vectors[v] = vector(v);
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        const Vec x = Numbers::broadcast(row(m));
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[m][v] = Numbers::multiply_add(x, vectors[v], sums[m][v]);
      }
    }
  }

  // visit(m, v, sum) for every sum.
  template <class Visit>
  [[gnu::always_inline]] void each(Visit visit) {
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) visit(m, v, sums[m][v]);
    }
  }
};

inline Simd::Vec load(const Unpacked* from) { return Simd::load(&from->value); }
template <class T>
[[gnu::always_inline]] inline Simd::Vec load(const T* from) {
  return Simd::load(from);
}

template <class T>
inline constexpr int kFetchedBytes = sizeof(T);
template <>
inline constexpr int kFetchedBytes<Unpacked> = 0;

// scores[m][lane of vector v] = q[m] . key, for kVectors vectors of keys. q: [head_dim][kRows].
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void score_tile(const ChunkView<T>& chunk, const float* q, int32_t first_vector,
                                  float* scores) {
  Tile<kRows, kVectors> tile;
  tile.each([](int, int, Simd::Vec& sum) { sum = Simd::zero(); });
  const T* const* keys = chunk.keys + first_vector;
  const int64_t stride = chunk.key_stride;
  const int32_t dims = chunk.head_dim / kVectors;
  int64_t at = 0;
  for (int part = 0; part < kVectors; ++part) {  // each with the values of one vector of tokens
    const T* ahead = chunk.ahead[first_vector + part];
#pragma GCC unroll 4
    for (int32_t d = 0; d < dims; ++d, at += stride, q += kRows, ahead += Simd::kLanes * kVectors) {
      fetch<kFetchedBytes<T> * Simd::kLanes * kVectors>(ahead);
      tile.add([&](int m) { return q[m]; }, [&](int v) { return load(keys[v] + at); });
    }
  }
  tile.each([&](int m, int v, const Simd::Vec& sum) {
    Simd::store(scores + m * kScoreStride + v * Simd::kLanes, sum);
  });
}

// Scores of the chunk's first `vectors` vectors of keys, and of a few more: what lies beyond a row's
// limit is noise.
template <int kRows, class T>
void score_chunk(const ChunkView<T>& chunk, const float* q, int32_t vectors, float* scores) {
  constexpr int kVectors = Simd::vectors(kRows);
  for (int32_t v = 0; v < vectors; v += kVectors) {
    score_tile<kRows, kVectors>(chunk, q, v, scores + v * Simd::kLanes);
  }
}

// Sums weights, given vector by vector from a chunk's first key on, in 16 chains at any vector width:
// AVX-512 leaves small blocks to AVX2, and their size is to change no bit.
class WeightSum {
 public:
  void add(Simd::Vec weights) {
    const Simd::Vec sum = Simd::add(chains_[0], weights);
    if constexpr (kVectors == 2) chains_[0] = chains_[1];
    chains_[kVectors - 1] = sum;
  }
  float total() const {
    return Simd::sum(kVectors == 2 ? Simd::add(chains_[0], chains_[kVectors - 1]) : chains_[0]);
  }

 private:
  static constexpr int kVectors = 16 / Simd::kLanes;
  static_assert(kVectors == 1 || kVectors == 2);
  Simd::Vec chains_[kVectors] = {};
};

// Turns `count` >= 1 scores (in units of log2) of row m into weights 2^(score - maximum). Lanes past the
// count become 0. So that memory does not rest meanwhile, the first keys of the next chunk are fetched.
template <class T>
void softmax_row(const ChunkView<T>& chunk, int m, float* scores, int32_t count, float& maximum,
                 float& total) {
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
  WeightSum sum;
  constexpr int32_t kLines = 16;  // of a vector's keys
  static_assert(kMaxTileRows * kAttentionChunk / (kLanes * kLines) <= kFirstVectors);
  [[maybe_unused]] const T* const* ahead = chunk.next_keys + m * (kAttentionChunk / (kLanes * kLines));
  for (int32_t j = 0; j < count; j += kLanes) {
    [[maybe_unused]] const int32_t line = j / kLanes;
    if constexpr (kFetchedBytes < T >> 0) {
      fetch<64>(reinterpret_cast<const std::byte*>(ahead[line / kLines]) + line % kLines * 64);
    }
    const Vec weight = Simd::exp2(Simd::sub(Simd::load(scores + j), base));
    Simd::store(scores + j, weight);
    sum.add(weight);
  }
  total = sum.total();
}

// to[m][d] += weights[m][j] * value[j][d] for keys j in [begin, end) and kVectors vectors of dimensions
// from d. to: rows head_dim apart.
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void value_tile(const ChunkView<T>& chunk, const float* weights, int32_t begin,
                                  int32_t end, int32_t d, float* to) {
  constexpr int32_t kLanes = Simd::kLanes;
  const int64_t head_dim = chunk.head_dim;
  const int64_t stride = chunk.value_stride;
  const int64_t column = d / kPanel * chunk.panel_stride + d % kPanel;
  Tile<kRows, kVectors> tile;
  tile.each([&](int m, int v, Simd::Vec& sum) { sum = Simd::load(to + m * head_dim + d + v * kLanes); });
  const auto add = [&](const float* weight, const T* value, const T* ahead) __attribute__((always_inline)) {
    fetch<kFetchedBytes<T> * kLanes * kVectors>(ahead);
    tile.add([&](int m) { return weight[m * kScoreStride]; },
             [&](int v) { return load(value + v * kLanes); });
  };
  const auto add_one = [&](int32_t j) {
    const int32_t i = j % kLanes;
    add(weights + j, chunk.values[j / kLanes] + i * stride + column,
        chunk.next_keys[j / kLanes] + (d + i * kVectors) * kLanes);
  };
  int32_t j = begin;
  for (; j < end && j % kLanes != 0; ++j) add_one(j);
  for (; j + kLanes <= end; j += kLanes) {
    const T* value = chunk.values[j / kLanes] + column;
    const T* ahead = chunk.next_keys[j / kLanes] + d * kLanes;
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i)
      add(weights + j + i, value + i * stride, ahead + i * kVectors * kLanes);
  }
  for (; j < end; ++j) add_one(j);
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

// Vectors of the widest tile of values: panels lie apart.
template <class T>
constexpr int value_vectors(int rows) {
  constexpr int32_t kMost = kFetchedBytes<T> == 0 ? kPanel / Simd::kLanes : kMaxPanel / Simd::kLanes;
  return Simd::vectors(rows) < kMost ? Simd::vectors(rows) : kMost;
}

// The same in runs of keys whose values fit the first-level cache, as each tile of dimensions passes over
// them.
template <int kRows, class T>
void weigh_values(const ChunkView<T>& chunk, const float* weights, int32_t begin, int32_t end, float* to) {
  constexpr int32_t kRun = kFetchedBytes<T> == 0 ? kAttentionChunk : 128;
  for (int32_t stop = 0; begin < end; begin = stop) {
    stop = begin + kRun < end ? begin + kRun : end;
    value_rows<kRows, value_vectors<T>(kRows)>(chunk, weights, begin, stop, 0, to);
  }
}

// Converts `vectors` vectors of keys to `keys` [vector][dim][lanes], and of values to
// [panel][token][kPanel], panels chunk.panel_stride apart.
template <class T>
void unpack_chunk(const ChunkView<T>& chunk, int32_t vectors, float* keys, float* values,
                  int64_t panel_stride) {
  constexpr int32_t kLanes = Simd::kLanes;
  for (int32_t v = 0; v < vectors; ++v) {
    const T* key = chunk.keys[v];
    for (int32_t d = 0; d < chunk.head_dim; ++d, keys += kLanes) {
      Simd::store(keys, Simd::load(key + d * chunk.key_stride));
    }
    const T* value = chunk.values[v];
    for (int32_t j = 0; j < kLanes; ++j, value += chunk.head_dim) {
      float* row = values + (int64_t{v} * kLanes + j) * kPanel;
      for (int32_t d = 0; d < chunk.head_dim; d += kLanes) {
        Simd::store(row + d / kPanel * panel_stride + d % kPanel, Simd::load(value + d));
      }
    }
  }
}

}  // namespace
}  // namespace quire
