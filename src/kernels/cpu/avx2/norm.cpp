// RMS norm and quantization; cpu/scalar/norm.cpp states the order of sums and gives the same values.
#include "kernels/cpu/avx2/norm.h"

#include <immintrin.h>

#include "kernels/cpu/activation_tiles.h"
#include "kernels/cpu/fill.h"

namespace quire::avx2 {
namespace {

// 32 consecutive floats.
struct Floats {
  __m256 part[4];
};

Floats load(const float* x) {
  return {{_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8), _mm256_loadu_ps(x + 16), _mm256_loadu_ps(x + 24)}};
}

// Where a token's quants go: quad j at quads + j * quad_stride, and so block after block.
struct TokenPlace {
  std::byte* quads;
  int64_t quad_stride;
  std::byte* scale;
  std::byte* scaled_sum;
  int64_t block_stride;

  void advance(int64_t blocks) {
    quads += blocks * block_stride;
    scale += blocks * block_stride;
    scaled_sum += blocks * block_stride;
  }
};

// Where token `index` of a whole group of `size` goes, the group beginning at `group`: quads
// `quad_stride` bytes apart, the first at `quads`.
TokenPlace place_in_group(std::byte* group, int64_t size, int64_t index, int64_t quads,
                          int64_t quad_stride) {
  std::byte* scales = group + size * kQuantBlock + index * 4;
  return {group + quads, quad_stride, scales, scales + size * 4, size * kActivationBlockBytes};
}

template <bool kStrips>
TokenPlace place_token(std::byte* out, int64_t token, int64_t num_tokens, int64_t width) {
  const int64_t num_blocks = width / kQuantBlock;
  const int64_t strip = token / kStrip * kStrip;
  if (kStrips && strip + kStrip <= num_tokens) {
    std::byte* group = out + strip * num_blocks * kActivationBlockBytes;
    return place_in_group(group, kStrip, token - strip, (token - strip) * kQuantBlock, 4);
  }
  const int64_t tile = token / kTile * kTile;
  if (tile + kTile <= num_tokens) {
    std::byte* group = out + tile * num_blocks * kActivationBlockBytes;
    return place_in_group(group, kTile, token - tile, (token - tile) * 4, kTile * 4);
  }
  std::byte* row = out + token * num_blocks * kActivationBlockBytes;
  return {row, 4, row + kQuantBlock, row + kQuantBlock + 4, kActivationBlockBytes};
}

// Columns [begin_col, end_col) of tokens [begin, end), of num_tokens tokens `width` wide at `out`.
struct TokenRange {
  std::byte* out;
  int64_t num_tokens, width;
  int64_t begin, end;
  int64_t begin_col, end_col;
};

int32_t horizontal_sum(__m256i v) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

// The largest magnitude. Compared as bits, which keeps a NaN.
float max_magnitude(const Floats& x) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  __m256i bits[4];
  for (int i = 0; i < 4; ++i) bits[i] = _mm256_and_si256(_mm256_castps_si256(x.part[i]), mask);
  const __m256i max8 =
      _mm256_max_epi32(_mm256_max_epi32(bits[0], bits[1]), _mm256_max_epi32(bits[2], bits[3]));
  __m128i max = _mm_max_epi32(_mm256_castsi256_si128(max8), _mm256_extracti128_si256(max8, 1));
  max = _mm_max_epi32(max, _mm_shuffle_epi32(max, 0x4e));
  max = _mm_max_epi32(max, _mm_shuffle_epi32(max, 0xb1));
  return _mm_cvtss_f32(_mm_castsi128_ps(max));
}

constexpr float kSmallestMax = 1e-36F;  // below it a block counts as zero: 127 / max would overflow

void quantize_block(const Floats& x, const TokenPlace& place) {
  const float max = max_magnitude(x);
  const __m256 inverse = _mm256_set1_ps(max < kSmallestMax ? 0.0F : 127.0F / max);
  __m256i q[4];
  for (int i = 0; i < 4; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x.part[i], inverse));
  const int32_t sum =
      horizontal_sum(_mm256_add_epi32(_mm256_add_epi32(q[0], q[1]), _mm256_add_epi32(q[2], q[3])));
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
  alignas(32) int32_t quads[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(quads),
                     _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
  for (int64_t j = 0; j < 8; ++j) __builtin_memcpy(place.quads + j * place.quad_stride, &quads[j], 4);
  const float scale = max / 127.0F;
  const float scaled_sum = scale * static_cast<float>(sum);
  __builtin_memcpy(place.scale, &scale, sizeof scale);
  __builtin_memcpy(place.scaled_sum, &scaled_sum, sizeof scaled_sum);
}

// Lane i: `join` over all lanes of part[i].
template <class Join>
__m128i reduce_four(const __m256i (&part)[kTile], Join join) {
  const __m256i ab = join(_mm256_unpacklo_epi32(part[0], part[1]), _mm256_unpackhi_epi32(part[0], part[1]));
  const __m256i cd = join(_mm256_unpacklo_epi32(part[2], part[3]), _mm256_unpackhi_epi32(part[2], part[3]));
  const __m256i abcd = join(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
  return _mm256_castsi256_si128(join(abcd, _mm256_permute2x128_si256(abcd, abcd, 1)));
}

// The same as quantize_block() for the four tokens of a whole tile, to their place in it.
void quantize_tile_block(const Floats (&x)[kTile], std::byte* out) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  __m256i part[kTile];
  for (int m = 0; m < kTile; ++m) {
    __m256i bits[4];
    for (int i = 0; i < 4; ++i) bits[i] = _mm256_and_si256(_mm256_castps_si256(x[m].part[i]), mask);
    part[m] = _mm256_max_epi32(_mm256_max_epi32(bits[0], bits[1]), _mm256_max_epi32(bits[2], bits[3]));
  }
  const __m128 max =
      _mm_castsi128_ps(reduce_four(part, [](__m256i a, __m256i b) { return _mm256_max_epi32(a, b); }));
  const __m128 all = _mm_set1_ps(127.0F);
  const __m128 inverse = _mm_andnot_ps(_mm_cmplt_ps(max, _mm_set1_ps(kSmallestMax)), _mm_div_ps(all, max));
  const __m256 inverses = _mm256_set_m128(inverse, inverse);
  const __m256 each[kTile] = {_mm256_permute_ps(inverses, 0x00), _mm256_permute_ps(inverses, 0x55),
                              _mm256_permute_ps(inverses, 0xaa), _mm256_permute_ps(inverses, 0xff)};
  __m256i packed[kTile];  // quads 0 2 4 6, 1 3 5 7
  for (int m = 0; m < kTile; ++m) {
    __m256i q[4];
    for (int i = 0; i < 4; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x[m].part[i], each[m]));
    part[m] = _mm256_add_epi32(_mm256_add_epi32(q[0], q[1]), _mm256_add_epi32(q[2], q[3]));
    packed[m] = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
  }
  const auto store = [out](int64_t register_index, __m256i quads) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out) + register_index, quads);
  };
  const __m256i low_ab = _mm256_unpacklo_epi32(packed[0], packed[1]);
  const __m256i low_cd = _mm256_unpacklo_epi32(packed[2], packed[3]);
  const __m256i high_ab = _mm256_unpackhi_epi32(packed[0], packed[1]);
  const __m256i high_cd = _mm256_unpackhi_epi32(packed[2], packed[3]);
  store(0, _mm256_unpacklo_epi64(low_ab, low_cd));
  store(1, _mm256_unpackhi_epi64(low_ab, low_cd));
  store(2, _mm256_unpacklo_epi64(high_ab, high_cd));
  store(3, _mm256_unpackhi_epi64(high_ab, high_cd));
  const __m128i sums = reduce_four(part, [](__m256i a, __m256i b) { return _mm256_add_epi32(a, b); });
  const __m128 scale = _mm_div_ps(max, all);
  auto* scales = reinterpret_cast<float*>(out + kTile * kQuantBlock);
  _mm_storeu_ps(scales, scale);
  _mm_storeu_ps(scales + kTile, _mm_mul_ps(scale, _mm_cvtepi32_ps(sums)));
}

// Columns [begin_col, end_col) of tokens [begin, end) to int8; load(token, column) gives 32 floats. Whole
// tiles are quantized together.
template <bool kStrips, class Load>
void quantize_tokens(const TokenRange& range, Load load) {
  for (int64_t t = range.begin; t < range.end;) {
    const bool whole = !kStrips && t % kTile == 0 && t + kTile <= range.end;
    if (whole) {
      std::byte* out =
          range.out +
          (t * (range.width / kQuantBlock) + range.begin_col / kQuantBlock * kTile) * kActivationBlockBytes;
      for (int64_t k = range.begin_col; k < range.end_col; k += kQuantBlock, out += kTileBlockBytes) {
        quantize_tile_block({load(t, k), load(t + 1, k), load(t + 2, k), load(t + 3, k)}, out);
      }
      t += kTile;
      continue;
    }
    TokenPlace place = place_token<kStrips>(range.out, t, range.num_tokens, range.width);
    place.advance(range.begin_col / kQuantBlock);
    for (int64_t k = range.begin_col; k < range.end_col; k += kQuantBlock, place.advance(1))
      quantize_block(load(t, k), place);
    ++t;
  }
}

// 1 / sqrt(mean(x^2) + epsilon).
float inverse_rms(const float* x, int64_t width, float epsilon) {
  __m256 lanes[4] = {};
  int64_t i = 0;
  for (; i + 32 <= width; i += 32) {
    const Floats v = load(x + i);
    for (int j = 0; j < 4; ++j) lanes[j] = _mm256_add_ps(lanes[j], _mm256_mul_ps(v.part[j], v.part[j]));
  }
  alignas(32) float rest[32] = {};
  for (int64_t j = 0; i + j < width; ++j) rest[j] = x[i + j] * x[i + j];
  for (int j = 0; j < 4; ++j) lanes[j] = _mm256_add_ps(lanes[j], _mm256_load_ps(rest + j * 8));
  const __m256 sum8 = _mm256_add_ps(_mm256_add_ps(lanes[0], lanes[2]), _mm256_add_ps(lanes[1], lanes[3]));
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(sum8), _mm256_extractf128_ps(sum8, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  const float total = _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  const __m128 mean = _mm_set_ss(total / static_cast<float>(width) + epsilon);
  return 1.0F / _mm_cvtss_f32(_mm_sqrt_ss(mean));
}

Floats normed(const float* x, const float* weight, __m256 scale) {
  Floats v = load(x);
  const Floats w = load(weight);
  for (int j = 0; j < 4; ++j) v.part[j] = _mm256_mul_ps(_mm256_mul_ps(v.part[j], scale), w.part[j]);
  return v;
}

}  // namespace

int64_t activation_bytes(ActivationFormat format, int64_t num_tokens, int64_t width) {
  if (format == ActivationFormat::kF32) return num_tokens * width * static_cast<int64_t>(sizeof(float));
  return num_tokens * (width / kQuantBlock) * kActivationBlockBytes;
}

namespace {

void norm_to_f32(const NormArgs& args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const float* x = args.x + t * args.x_stride;
    const float inverse = inverse_rms(x, args.width, args.epsilon);
    const __m256 scale = _mm256_set1_ps(inverse);
    float* out = reinterpret_cast<float*>(args.out) + t * args.out_stride;
    int64_t k = 0;
    for (; k + 32 <= args.width; k += 32) {
      const Floats v = normed(x + k, args.weight + k, scale);
      for (int j = 0; j < 4; ++j) _mm256_storeu_ps(out + k + j * 8, v.part[j]);
    }
    for (; k < args.width; ++k) out[k] = x[k] * inverse * args.weight[k];
  }
}

template <bool kStrips>
void run_norm(const NormArgs& args, int64_t begin, int64_t end) {
  if (args.format != ActivationFormat::kInt8) return norm_to_f32(args, begin, end);
  while (begin < end) {
    const int64_t next = (begin / kTile + 1) * kTile;
    const int64_t stop = next < end ? next : end;
    __m256 scales[kTile];
    for (int64_t t = begin; t < stop; ++t)
      scales[t % kTile] = _mm256_set1_ps(inverse_rms(args.x + t * args.x_stride, args.width, args.epsilon));
    const TokenRange range{args.out, args.num_tokens, args.width, begin, stop, 0, args.width};
    quantize_tokens<kStrips>(range, [&](int64_t t, int64_t k) {
      return normed(args.x + t * args.x_stride + k, args.weight + k, scales[t % kTile]);
    });
    begin = stop;
  }
}

template <bool kStrips>
void run_quantize(const QuantizeArgs& args, int64_t begin, int64_t end) {
  const TokenRange range{args.out, args.num_tokens, args.width, begin, end, args.begin_col, args.end_col};
  quantize_tokens<kStrips>(range,
                           [&](int64_t t, int64_t k) { return load(args.x + t * args.x_stride + k); });
}

}  // namespace

void rms_norm(const ExecContext&, const NormArgs& args, int64_t begin, int64_t end) {
  run_norm<false>(args, begin, end);
}

void quantize(const ExecContext&, const QuantizeArgs& args, int64_t begin, int64_t end) {
  run_quantize<false>(args, begin, end);
}

}  // namespace quire::avx2

namespace quire {

void fill_norm_strips(KernelTable& table) {
  table.rms_norm = [](const ExecContext&, const NormArgs& args, int64_t begin, int64_t end) {
    avx2::run_norm<true>(args, begin, end);
  };
  table.quantize = [](const ExecContext&, const QuantizeArgs& args, int64_t begin, int64_t end) {
    avx2::run_quantize<true>(args, begin, end);
  };
}

}  // namespace quire
