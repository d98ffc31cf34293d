// Weights of any type times fp32 activations: up to two groups are converted to fp32 in L1, k by k, and
// tiles of up to 16 rows x 6 tokens run over them; sum = fma(w, x, sum) in ascending k.
#include "kernels/cpu/avx2/linear.h"
#include "kernels/cpu/avx2/scratch.h"
#include "kernels/cpu/avx2/store.h"

namespace quire::avx2 {
namespace {

constexpr int64_t kPanelDepth = 256;  // k in a panel, a multiple of kQuantBlock
static_assert(kPanelDepth * kPanelGroups * 8 * 4 <= kPanelBytes);

constexpr int64_t packed_block_bytes(DType type) {
  switch (type) {
    case DType::kF32:
      return 8 * 4;
    case DType::kF16:
    case DType::kBF16:
      return 8 * 2;
    case DType::kQ4_0:
      return 8 * 18;
    case DType::kQ4_1:
      return 8 * 20;
    case DType::kQ8_0:
      return 8 * 34;
  }
  return 0;
}

inline __m256 half_at(const std::byte* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Byte `i` of each 32-bit lane, zero- or sign-extended, as float.
template <bool kSigned>
inline __m256 byte_of_lanes(__m256i v, int i) {
  const __m256i top = _mm256_sll_epi32(v, _mm_cvtsi32_si128(24 - 8 * i));
  return _mm256_cvtepi32_ps(kSigned ? _mm256_srai_epi32(top, 24) : _mm256_srli_epi32(top, 24));
}

// One block of 32 k; out[k] holds 8 rows, kStride floats apart. Weights are rounded as embed() gives them.
template <DType kType, int64_t kStride>
inline void convert_quantized(const std::byte* block, float* out) {
  constexpr int kQuads = kType == DType::kQ8_0 ? 8 : 4;
  const __m256 scale = half_at(block + kQuads * 32);
  const __m256 minimum = kType == DType::kQ4_1 ? half_at(block + kQuads * 32 + 16) : _mm256_setzero_ps();
  const __m256 offset = _mm256_set1_ps(kType == DType::kQ4_0 ? 8.0F : 0.0F);
  const auto put = [&](int64_t k, __m256 quant) {
    const __m256 scaled = _mm256_mul_ps(scale, _mm256_sub_ps(quant, offset));
    _mm256_store_ps(out + k * kStride, kType == DType::kQ4_1 ? _mm256_add_ps(scaled, minimum) : scaled);
  };
  for (int j = 0; j < kQuads; ++j) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + j * 32));
    if (kType == DType::kQ8_0) {
      for (int i = 0; i < 4; ++i) put(j * 4 + i, byte_of_lanes<true>(v, i));
      continue;
    }
    const __m256i low = _mm256_and_si256(v, _mm256_set1_epi8(15));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
    for (int i = 0; i < 4; ++i) {
      put(j * 4 + i, byte_of_lanes<false>(low, i));
      put(j * 4 + i + 16, byte_of_lanes<false>(high, i));
    }
  }
}

// `depth` k of one group from its block `data` on.
template <DType kType, int64_t kStride>
void convert(const std::byte* data, int64_t depth, float* out) {
  if constexpr (is_quantized(kType)) {
    for (int64_t k = 0; k < depth; k += kQuantBlock, data += packed_block_bytes(kType)) {
      convert_quantized<kType, kStride>(data, out + k * kStride);
    }
    return;
  }
  for (int64_t k = 0; k < depth; ++k, data += packed_block_bytes(kType), out += kStride) {
    if (kType == DType::kF32) {
      _mm256_store_ps(out, _mm256_loadu_ps(reinterpret_cast<const float*>(data)));
    } else if (kType == DType::kF16) {
      _mm256_store_ps(out, half_at(data));
    } else {
      const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data)));
      _mm256_store_ps(out, _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
    }
  }
}

// sums[token][kGroups * 8] += panel[k][kGroups * 8] * x[token][k].
template <int kGroups, int kTokens>
[[gnu::noinline]] void panel_kernel(const float* panel, int64_t depth, const float* x, int64_t x_stride,
                                    float* sums) {
  __m256 acc[kTokens][kGroups];
  for (int t = 0; t < kTokens; ++t) {
    for (int g = 0; g < kGroups; ++g) acc[t][g] = _mm256_load_ps(sums + t * kSumStride + g * 8);
  }
  for (int64_t k = 0; k < depth; ++k, panel += kGroups * 8) {
    __m256 w[kGroups];
    for (int g = 0; g < kGroups; ++g) w[g] = _mm256_load_ps(panel + g * 8);
#pragma GCC unroll 6
    for (int t = 0; t < kTokens; ++t) {
      const __m256 value = _mm256_broadcast_ss(x + t * x_stride + k);
      for (int g = 0; g < kGroups; ++g) acc[t][g] = _mm256_fmadd_ps(w[g], value, acc[t][g]);
    }
  }
  for (int t = 0; t < kTokens; ++t) {
    for (int g = 0; g < kGroups; ++g) _mm256_store_ps(sums + t * kSumStride + g * 8, acc[t][g]);
  }
}

// sums[count][...] of kGroups neighbouring groups for tokens [first, first + count).
template <DType kType, int kGroups>
void sum_groups(const LinearArgs& args, int64_t group, int64_t first, int64_t count,
                const Scratch& scratch) {
  const int64_t cols = args.weight.cols;
  constexpr int64_t block_cols = is_quantized(kType) ? kQuantBlock : 1;
  const int64_t group_bytes = cols / block_cols * packed_block_bytes(kType);
  const int64_t stride = args.activation_stride;
  const float* x = reinterpret_cast<const float*>(args.activations) + first * stride;
  float* panel = reinterpret_cast<float*>(scratch.panel);
  __builtin_memset(scratch.sums, 0, static_cast<size_t>(count * kSumStride) * sizeof(float));
  for (int64_t k = 0; k < cols; k += kPanelDepth) {
    const int64_t depth = cols - k < kPanelDepth ? cols - k : kPanelDepth;
    const std::byte* data =
        args.weight.data + group * group_bytes + k / block_cols * packed_block_bytes(kType);
    for (int g = 0; g < kGroups; ++g) {
      convert<kType, kGroups * 8>(data + g * group_bytes, depth, panel + g * 8);
    }
    int64_t t = 0;
    for (; t + 6 <= count; t += 6) {
      panel_kernel<kGroups, 6>(panel, depth, x + t * stride + k, stride, scratch.sums + t * kSumStride);
    }
    for (; t + 2 <= count; t += 2) {
      panel_kernel<kGroups, 2>(panel, depth, x + t * stride + k, stride, scratch.sums + t * kSumStride);
    }
    for (; t < count; ++t) {
      panel_kernel<kGroups, 1>(panel, depth, x + t * stride + k, stride, scratch.sums + t * kSumStride);
    }
  }
}

template <DType kType>
void linear(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
  const Scratch scratch(context);
  const int64_t item_groups = args.epilogue == Epilogue::kSiluMul ? 2 : 1;
  const int64_t end_group = end * item_groups;
  for (int64_t group = begin * item_groups; group < end_group; group += kPanelGroups) {
    const int64_t num_groups = end_group - group < kPanelGroups ? end_group - group : kPanelGroups;
    for (int64_t t = 0; t < args.num_tokens; t += kSumTokens) {
      const int64_t count = args.num_tokens - t < kSumTokens ? args.num_tokens - t : kSumTokens;
      if (num_groups == 2) {
        sum_groups<kType, 2>(args, group, t, count, scratch);
      } else {
        sum_groups<kType, 1>(args, group, t, count, scratch);
      }
      store_sums(args, {scratch.sums, num_groups, group, t, count});
    }
  }
}

}  // namespace

int64_t scratch_bytes(int64_t) {
  return kLinearScratchBytes;
}

LinearFunction linear_f32(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return linear<DType::kF32>;
    case DType::kF16:
      return linear<DType::kF16>;
    case DType::kBF16:
      return linear<DType::kBF16>;
    case DType::kQ4_0:
      return linear<DType::kQ4_0>;
    case DType::kQ4_1:
      return linear<DType::kQ4_1>;
    case DType::kQ8_0:
      return linear<DType::kQ8_0>;
  }
  return nullptr;
}

}  // namespace quire::avx2
