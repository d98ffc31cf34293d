// q8_0 weights times int8 activations: |w| (u8) times a with w's sign. Pairs of products fill an int16 (2 *
// 127 * 127; a weight of -128 makes 32,512), so each is widened at once.
#include "kernels/cpu/avx2/int8_activations.h"
#include "kernels/cpu/avx2/linear.h"
#include "kernels/cpu/avx2/scratch.h"
#include "kernels/cpu/avx2/store.h"

namespace quire::avx2 {
namespace {

constexpr int64_t kPackedBlockBytes = 8 * 34;

// sums[token][8] (rows kSumStride apart) += one group x kTokens tokens.
template <int kTokens, bool kTiled>
[[gnu::noinline]] void stream_kernel(const std::byte* block, int64_t num_blocks,
                                     TokenBlock<kTokens, kTiled> a, float* sums) {
  const __m256i one = _mm256_set1_epi16(1);
  for (int64_t b = 0; b < num_blocks; ++b, block += kPackedBlockBytes, a.advance()) {
    for (int64_t line = 0; line < 320; line += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(block) + kStreamAhead + line, _MM_HINT_T0);
    }
    __m256i dots[kTokens];
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + j * 32));
      const __m256i magnitude = _mm256_abs_epi8(w);
#pragma GCC unroll 8
      for (int m = 0; m < kTokens; ++m) {
        const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a.quad(m, j), w));
        const __m256i product = _mm256_madd_epi16(pairs, one);
        dots[m] = j == 0 ? product : _mm256_add_epi32(dots[m], product);
        pin(dots[m]);
      }
    }
    const __m256 scale = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 256)));
#pragma GCC unroll 8
    for (int m = 0; m < kTokens; ++m) {
      float* sum = sums + m * kSumStride;
      const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(dots[m]), a.scale(m));
      _mm256_store_ps(sum, _mm256_fmadd_ps(scaled, scale, _mm256_load_ps(sum)));
    }
  }
}

template <int kTokens, bool kTiled>
TokenBlock<kTokens, kTiled> tokens_at(const LinearArgs& args, int64_t token) {
  const int64_t num_blocks = args.weight.cols / kQuantBlock;
  return {args.activations + token * num_blocks * kActivationBlockBytes,
          num_blocks * (kTiled ? kTileBlockBytes : kActivationBlockBytes)};
}

// sums[count][...] of one group for tokens [first, first + count).
void stream_group(const LinearArgs& args, int64_t group, int64_t first, int64_t count, float* sums) {
  const int64_t num_blocks = args.weight.cols / kQuantBlock;
  const std::byte* w = args.weight.data + group * num_blocks * kPackedBlockBytes;
  for (int64_t t = 0; t < count; ++t) _mm256_store_ps(sums + t * kSumStride, _mm256_setzero_ps());
  int64_t t = 0;
  for (; t + 4 <= count; t += 4) {
    stream_kernel(w, num_blocks, tokens_at<4, true>(args, first + t), sums + t * kSumStride);
  }
  float* rest = sums + t * kSumStride;
  switch (count - t) {
    case 3:
      stream_kernel(w, num_blocks, tokens_at<3, false>(args, first + t), rest);
      break;
    case 2:
      stream_kernel(w, num_blocks, tokens_at<2, false>(args, first + t), rest);
      break;
    case 1:
      stream_kernel(w, num_blocks, tokens_at<1, false>(args, first + t), rest);
      break;
    default:
      break;
  }
}

void linear(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
  const Scratch scratch(context);
  const int64_t num_groups = args.epilogue == Epilogue::kSiluMul ? 2 : 1;
  for (int64_t item = begin; item < end; ++item) {
    for (int64_t t = 0; t < args.num_tokens; t += kSumTokens) {
      const int64_t count = args.num_tokens - t < kSumTokens ? args.num_tokens - t : kSumTokens;
      for (int64_t g = 0; g < num_groups; ++g) {
        stream_group(args, item * num_groups + g, t, count, scratch.sums + g * 8);
      }
      store_sums(args, {scratch.sums, num_groups, item * num_groups, t, count});
    }
  }
}

}  // namespace

LinearFunction linear_q8_int8() {
  return linear;
}

}  // namespace quire::avx2
