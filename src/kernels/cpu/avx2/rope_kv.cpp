#include <immintrin.h>

#include "kernels/cpu/attention_entries.h"
#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

// A pair by itself; the vector forms below state the same products.
void rotate_pair(float& first, float& second, float cosine, float sine) {
  const float rotated = __builtin_fmaf(first, cosine, -(second * sine));
  second = __builtin_fmaf(second, cosine, first * sine);
  first = rotated;
}

// Pairs (2i, 2i + 1).
void rotate_interleaved(float* head, const float* cos_sin, int32_t rope_dim) {
  int32_t d = 0;
  for (; d + 8 <= rope_dim; d += 8) {
    const __m256 angles = _mm256_loadu_ps(cos_sin + d);
    const __m256 cosines = _mm256_moveldup_ps(angles);
    const __m256 sines = _mm256_movehdup_ps(angles);
    const __m256 x = _mm256_loadu_ps(head + d);
    const __m256 swapped = _mm256_permute_ps(x, 0b10110001);
    _mm256_storeu_ps(head + d, _mm256_fmaddsub_ps(x, cosines, _mm256_mul_ps(swapped, sines)));
  }
  for (; d + 2 <= rope_dim; d += 2) rotate_pair(head[d], head[d + 1], cos_sin[d], cos_sin[d + 1]);
}

// Pairs (i, i + rope_dim / 2).
void rotate_halves(float* head, const float* cos_sin, int32_t rope_dim) {
  const int32_t half = rope_dim / 2;
  int32_t i = 0;
  for (; i + 8 <= half; i += 8) {
    const __m256 low = _mm256_loadu_ps(cos_sin + 2 * i);
    const __m256 high = _mm256_loadu_ps(cos_sin + 2 * i + 8);
    const auto in_order = [](__m256 x) {  // 0 1 4 5 | 2 3 6 7 -> 0 1 2 3 | 4 5 6 7
      return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0b11011000));
    };
    const __m256 cosines = in_order(_mm256_shuffle_ps(low, high, 0b10001000));
    const __m256 sines = in_order(_mm256_shuffle_ps(low, high, 0b11011101));
    const __m256 first = _mm256_loadu_ps(head + i);
    const __m256 second = _mm256_loadu_ps(head + i + half);
    _mm256_storeu_ps(head + i, _mm256_fmsub_ps(first, cosines, _mm256_mul_ps(second, sines)));
    _mm256_storeu_ps(head + i + half, _mm256_fmadd_ps(second, cosines, _mm256_mul_ps(first, sines)));
  }
  for (; i < half; ++i) rotate_pair(head[i], head[i + half], cos_sin[2 * i], cos_sin[2 * i + 1]);
}

void rotate_heads(const RopeKvArgs& args, int64_t token, float* heads, int32_t num_heads) {
  const float* cos_sin = args.cos_sin + token * (args.rope_dim / 2 * 2);
  for (int32_t h = 0; h < num_heads; ++h) {
    float* head = heads + int64_t{h} * args.kv.head_dim;
    if (args.interleaved) {
      rotate_interleaved(head, cos_sin, args.rope_dim);
    } else {
      rotate_halves(head, cos_sin, args.rope_dim);
    }
  }
}

// Rounds to the nearest, ties to even.
void convert8(const float* from, float* to) { _mm256_storeu_ps(to, _mm256_loadu_ps(from)); }
void convert8(const float* from, Float16* to) {
  const __m128i halves =
      _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves);
}
void convert8(const float* from, BFloat16* to) {
  const __m256 x = _mm256_loadu_ps(from);
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, is_nan), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0b11011000);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
}

// Converts head_dim floats to contiguous elements of `to`.
template <class T>
void convert_row(const float* from, T* to, int32_t head_dim) {
  int32_t d = 0;
  for (; d + 8 <= head_dim; d += 8) convert8(from + d, to + d);
  if (d == head_dim) return;
  float rest[8] = {};
  T converted[8];
  for (int32_t i = 0; d + i < head_dim; ++i) rest[i] = from[d + i];
  convert8(rest, converted);
  for (int32_t i = 0; d + i < head_dim; ++i) to[d + i] = converted[i];
}

template <class T>
void write_value(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* value, T*) {
  T* to = reinterpret_cast<T*>(values_of_block(kv, slot / kv.block_size, kv_head)) +
          value_offset(kv, static_cast<int32_t>(slot % kv.block_size));
  convert_row(value, to, kv.head_dim);
}

// `converted` is room for one head.
template <class T>
void write_key(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* key, T* converted) {
  T* to = reinterpret_cast<T*>(keys_of_block(kv, slot / kv.block_size, kv_head)) +
          key_offset(kv, static_cast<int32_t>(slot % kv.block_size));
  const int64_t lanes = key_lanes(kv.block_size);
  convert_row(key, converted, kv.head_dim);
  for (int32_t d = 0; d < kv.head_dim; ++d) to[d * lanes] = converted[d];
}

// The first `count` <= 8 floats, then zeros.
__m256 load_first(const float* from, int32_t count) {
  if (count >= 8) return _mm256_loadu_ps(from);
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}

// Quants of a head, even(head_dim) of them; returns their scale. scalar/quantizer.h says the same.
float quantize_head(const float* from, int32_t head_dim, Int8* quants) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (int32_t d = 0; d < head_dim; d += 8) {
    const __m256i bits = _mm256_castps_si256(load_first(from + d, head_dim - d));
    largest = _mm256_max_epi32(largest, _mm256_and_si256(bits, magnitude));
  }
  __m128i most = _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0b01001110));
  most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0b10110001));
  const float maximum = _mm_cvtss_f32(_mm_castsi128_ps(most));
  const bool finite = _mm_cvtsi128_si32(most) < 0x7f800000;
  if (!finite || maximum < kLeastMaximum) {
    for (int32_t d = 0; d < even(head_dim); ++d) quants[d] = 0;
    return finite ? 0.0F : __builtin_nanf("");
  }
  const __m256 inverse = _mm256_set1_ps(kMaxQuant / maximum);
  for (int32_t d = 0; d < head_dim; d += 8) {
    const __m256 x = _mm256_mul_ps(load_first(from + d, head_dim - d), inverse);
    const __m256i wide = _mm256_cvtps_epi32(x);
    const __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(quants + d), _mm_packs_epi16(half, half));
  }
  return maximum / kMaxQuant;
}

void write_value(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* value, Int8* quants) {
  std::byte* values = values_of_block(kv, slot / kv.block_size, kv_head);
  const auto offset = static_cast<int32_t>(slot % kv.block_size);
  Int8* to = reinterpret_cast<Int8*>(values) + value_offset_int8(kv, offset);
  scales_of_block(kv, values)[offset] = quantize_head(value, kv.head_dim, quants);
  // Byte by byte: another thread may write the token beside this one.
  for (int32_t d = 0; d < kv.head_dim; ++d) to[2 * d] = quants[d];
}

void write_key(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* key, Int8* quants) {
  std::byte* keys = keys_of_block(kv, slot / kv.block_size, kv_head);
  const auto offset = static_cast<int32_t>(slot % kv.block_size);
  Int8* to = reinterpret_cast<Int8*>(keys) + key_offset_int8(kv, offset);
  scales_of_block(kv, keys)[offset] = quantize_head(key, kv.head_dim, quants);
  const int64_t stride = int64_t{2} * key_lanes(kv.block_size);
  for (int32_t i = 0; i < (kv.head_dim + 1) / 2; ++i) {
    __builtin_memcpy(to + i * stride, quants + int64_t{2} * i, 2);
  }
}

template <class T>
void write_token(const ExecContext& context, const RopeKvArgs& args, int64_t token, bool rotate) {
  const KvCacheView& kv = args.kv;
  const AttentionScratch at = attention_scratch(1, kv.head_dim);
  float* rotated = reinterpret_cast<float*>(context.scratch) + at.q;
  T* converted = reinterpret_cast<T*>(reinterpret_cast<float*>(context.scratch) + at.sums);
  for (int32_t h = 0; h < kv.num_kv_heads; ++h) {
    const int64_t column = token * args.stride + int64_t{h} * kv.head_dim;
    const float* key = args.k + column;
    if (rotate) {
      for (int32_t d = 0; d < kv.head_dim; ++d) rotated[d] = key[d];
      rotate_heads(args, token, rotated, 1);
      key = rotated;
    }
    write_key(kv, args.slots[token], h, key, converted);
    write_value(kv, args.slots[token], h, args.v + column, converted);
  }
}

void write_token(const ExecContext& context, const RopeKvArgs& args, int64_t token, bool rotate) {
  switch (args.kv.dtype) {
    case KvDType::kF32: return write_token<float>(context, args, token, rotate);
    case KvDType::kF16: return write_token<Float16>(context, args, token, rotate);
    case KvDType::kBF16: return write_token<BFloat16>(context, args, token, rotate);
    case KvDType::kInt8: return write_token<Int8>(context, args, token, rotate);
  }
}

// Asks for the lines that a token's keys and values go to. A decode's block was last used a step ago and
// lies in memory again, and its key alone is spread over as many lines as the block has of that head.
void fetch_places(const KvCacheView& kv, int64_t slot) {
  const int64_t bytes = kv_head_bytes(kv.dtype, kv.block_size, kv.head_dim);
  const int64_t value_bytes = bytes / kv.block_size;
  for (int32_t h = 0; h < kv.num_kv_heads; ++h) {
    const std::byte* keys = keys_of_block(kv, slot / kv.block_size, h);
    const std::byte* value =
        values_of_block(kv, slot / kv.block_size, h) + slot % kv.block_size * value_bytes;
    for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(keys + at, 1, 3);
    for (int64_t at = 0; at < value_bytes; at += 64) __builtin_prefetch(value + at, 1, 3);
  }
}

// Tokens [begin, end), each after the places of the next have been asked for.
template <class Write>
void for_each_token(const RopeKvArgs& args, int64_t begin, int64_t end, Write write) {
  const auto block = [&](int64_t token) { return args.slots[token] / args.kv.block_size; };
  if (begin < end) fetch_places(args.kv, args.slots[begin]);
  for (int64_t token = begin; token < end; ++token) {
    if (token + 1 < end && block(token + 1) != block(token)) fetch_places(args.kv, args.slots[token + 1]);
    write(token);
  }
}

}  // namespace

namespace avx2 {

void rope(const ExecContext&, const RopeKvArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    rotate_heads(args, token, args.q + token * args.stride, args.num_heads);
    rotate_heads(args, token, args.k + token * args.stride, args.kv.num_kv_heads);
  }
}

void kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end) {
  for_each_token(args, begin, end, [&](int64_t token) { write_token(context, args, token, false); });
}

void rope_kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end) {
  for_each_token(args, begin, end, [&](int64_t token) {
    rotate_heads(args, token, args.q + token * args.stride, args.num_heads);
    write_token(context, args, token, true);
  });
}

}  // namespace avx2
}  // namespace quire
