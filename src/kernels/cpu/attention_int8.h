// Attention over int8 keys and values (attention_layout.h), for any vector width; scalar/attention.cpp
// states the same arithmetic. Products are exact integer sums:
//
//   score  = sum of (query, 16 bits) * (key, 8 bits), times the key's scale, times that of the query
//   weight = 2^(score - maximum) * the value's scale, in units of the largest of a row's chunk / 32767
//   sum    = sum of (weight, 16 bits) * (value, 8 bits), times that unit
//
// A 16-bit query and weight cost no time on AVX2, where products of bytes would need more steps (or fewer
// bits), and leave no error beside that of the cache's 8 bits. Internal linkage.
#pragma once

#include "kernels/cpu/attention_tile.h"

namespace quire {
namespace {

struct Integers {
  using Vec = Simd::Int;
  static Vec broadcast(int32_t pair) { return Simd::set1_pair(pair); }
  static Vec multiply_add(Vec a, Vec b, Vec sum) { return Simd::multiply_add(a, b, sum); }
};

// Quantizes `count` floats to 16-bit pairs, one every `step` of `to`, and returns their scale.
inline float quantize_query(const float* from, int32_t count, float max_quant, int32_t* to, int32_t step) {
  uint32_t largest_bits = 0;
  for (int32_t d = 0; d < count; ++d) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, from[d]) & 0x7fffffffU;
    largest_bits = bits > largest_bits ? bits : largest_bits;
  }
  const float largest = __builtin_bit_cast(float, largest_bits);
  const bool usable = largest >= kLeastMaximum && largest_bits < 0x7f800000U;
  const float inverse = usable ? max_quant / largest : 0.0F;
  int16_t quants[8 * Simd::kLanes];
  for (int32_t begin = 0; begin < count; begin += 8 * Simd::kLanes) {
    const int32_t end = begin + 8 * Simd::kLanes < count ? begin + 8 * Simd::kLanes : count;
    for (int32_t d = begin; d < end; d += Simd::kLanes) {
      const Simd::Vec scaled = Simd::mul(Simd::load(from + d), Simd::set1(inverse));
      Simd::store_int16(quants + (d - begin), usable ? scaled : Simd::zero());
    }
    for (int32_t d = begin; d < end; d += 2) {
      const auto low = static_cast<uint16_t>(quants[d - begin]);
      const auto high = static_cast<uint16_t>(quants[d - begin + 1]);
      to[d / 2 * step] = static_cast<int32_t>(uint32_t{high} << 16 | low);
    }
  }
  if (largest_bits >= 0x7f800000U) return __builtin_nanf("");
  return usable ? largest / max_quant : 0.0F;
}

// As the form for floats, but the key's and query's scales are still to be multiplied. q: pairs of
// quants, [head_dim / 2][kRows].
template <int kRows, int kVectors>
[[gnu::noinline]] void score_tile(const ChunkView<Int8>& chunk, const int32_t* q, int32_t first_vector,
                                  float* scores) {
  Tile<kRows, kVectors, Integers> tile;
  tile.each([](int, int, Simd::Int& sum) { sum = Simd::int_zero(); });
  const Int8* const* keys = chunk.keys + first_vector;
  const int64_t stride = chunk.key_stride;
  const Int8* const* ahead = chunk.values + first_vector;
  int64_t at = 0;
  int32_t d = 0;
  for (; d + 2 * kVectors <= chunk.head_dim; d += 2 * kVectors) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i, at += stride, q += kRows) {
      fetch<2 * Simd::kLanes * kVectors>(ahead[i] + d * Simd::kLanes);
      tile.add([&](int m) { return q[m]; }, [&](int v) { return Simd::load_pairs(keys[v] + at); });
    }
  }
  for (; d < chunk.head_dim; d += 2, at += stride, q += kRows) {
    tile.add([&](int m) { return q[m]; }, [&](int v) { return Simd::load_pairs(keys[v] + at); });
  }
  tile.each([&](int m, int v, const Simd::Int& sum) {
    Simd::store(scores + m * kScoreStride + v * Simd::kLanes, Simd::to_float(sum));
  });
}

template <int kRows>
void score_chunk(const ChunkView<Int8>& chunk, const int32_t* q, int32_t vectors, float* scores) {
  constexpr int kVectors = Simd::vectors(kRows);
  for (int32_t v = 0; v < vectors; v += kVectors) {
    score_tile<kRows, kVectors>(chunk, q, v, scores + v * Simd::kLanes);
  }
}

// Of `count` >= 1 scores of one row, to which scales are still to be multiplied: 16-bit weights, of which
// those from `count` to the end of `vectors` vectors are 0. Returns their unit.
inline float softmax_row(const ChunkView<Int8>& chunk, float query_scale, float* scores, int32_t count,
                         int32_t vectors, int16_t* weights, float& maximum, float& total) {
  using Vec = Simd::Vec;
  constexpr int32_t kLanes = Simd::kLanes;
  const int32_t used = (count + kLanes - 1) / kLanes;
  const int32_t rest = count - (used - 1) * kLanes;  // in the last vector
  const Vec query = Simd::set1(query_scale);
  Vec highest = Simd::set1(-__builtin_inff());
  for (int32_t v = 0; v < used; ++v) {
    Vec x = Simd::mul(Simd::mul(Simd::load(scores + v * kLanes), Simd::load(chunk.scales[v])), query);
    if (v == used - 1) x = Simd::first_lanes(x, Simd::set1(-__builtin_inff()), rest);
    Simd::store(scores + v * kLanes, x);
    highest = Simd::max(highest, x);
  }
  maximum = Simd::highest(highest);
  const Vec base = Simd::set1(maximum);
  WeightSum sum;
  Vec scaled_sum = Simd::zero();
  Vec largest = Simd::zero();
  for (int32_t v = 0; v < used; ++v) {
    const Vec weight = Simd::exp2(Simd::sub(Simd::load(scores + v * kLanes), base));
    sum.add(weight);
    Vec scaled = Simd::mul(weight, Simd::load(chunk.value_scales[v]));
    if (v == used - 1) scaled = Simd::first_lanes(scaled, Simd::zero(), rest);
    Simd::store(scores + v * kLanes, scaled);
    scaled_sum = Simd::add(scaled_sum, scaled);
    largest = Simd::max(largest, scaled);
  }
  total = sum.total();
  const float most = Simd::highest(largest);
  const Vec inverse = Simd::set1(most >= kLeastMaximum ? kMaxWeightQuant / most : 0.0F);
  for (int32_t v = 0; v < used; ++v) {
    Simd::store_int16(weights + v * kLanes, Simd::mul(Simd::load(scores + v * kLanes), inverse));
  }
  for (int32_t v = used; v < vectors; ++v) Simd::store_int16(weights + v * kLanes, Simd::zero());
  // The maximum may pass over a value that is not a number; the sum does not.
  return most * (1.0F / kMaxWeightQuant) + 0.0F * Simd::sum(scaled_sum);
}

// to[m][d] = unit[m] * the sum of weights[m][j] * value[j][d] over the pairs of keys [0, pairs), for
// kVectors vectors of dimensions from d. Rows of weights, as pairs, are kScoreStride / 2 apart.
template <int kRows, int kVectors>
[[gnu::noinline]] void value_tile(const ChunkView<Int8>& chunk, const int32_t* weights, const float* units,
                                  int32_t pairs, int32_t d, float* to) {
  constexpr int32_t kLanes = Simd::kLanes;
  constexpr int32_t kGroup = kLanes / 2;  // pairs of keys that a pointer stands for
  const int64_t stride = 2 * int64_t{chunk.head_dim};
  Tile<kRows, kVectors, Integers> tile;
  tile.each([](int, int, Simd::Int& sum) { sum = Simd::int_zero(); });
  for (int32_t j = 0; j < pairs;) {
    const int32_t stop = j + kGroup < pairs ? j + kGroup : pairs;
    const Int8* value = chunk.values[j / kGroup] + 2 * d;
    const Int8* ahead = chunk.next_keys[j / kGroup] + d * kLanes;
    for (; j < stop; ++j, value += stride, ahead += 2 * kVectors * kLanes) {
      fetch<2 * kLanes * kVectors>(ahead);
      tile.add([&](int m) { return weights[m * (kScoreStride / 2) + j]; },
               [&](int v) { return Simd::load_pairs(value + v * 2 * kLanes); });
    }
  }
  tile.each([&](int m, int v, const Simd::Int& sum) {
    Simd::store(to + m * chunk.head_dim + d + v * kLanes,
                Simd::mul(Simd::to_float(sum), Simd::set1(units[m])));
  });
}

template <int kRows, int kVectors>
void value_rows(const ChunkView<Int8>& chunk, const int32_t* weights, const float* units, int32_t pairs,
                int32_t d, float* to) {
  constexpr int32_t kStep = kVectors * Simd::kLanes;
  for (; d + kStep <= chunk.head_dim; d += kStep) {
    value_tile<kRows, kVectors>(chunk, weights, units, pairs, d, to);
  }
  if constexpr (kVectors > 1) {
    if (d < chunk.head_dim) value_rows<kRows, kVectors / 2>(chunk, weights, units, pairs, d, to);
  }
}

}  // namespace
}  // namespace quire
