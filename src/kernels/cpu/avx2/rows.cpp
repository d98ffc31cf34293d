#include <immintrin.h>

#include "kernels/cpu/avx2/exp.h"
#include "kernels/cpu/fill.h"

namespace quire {
namespace {

constexpr int64_t kLanes = 8;

// All ones in the first `count` lanes.
__m256i first_lanes(int64_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), lane);
}

void silu_mul(const ExecContext&, const BinaryArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* a = args.a + token * args.a_stride;
    const float* b = args.b + token * args.b_stride;
    float* out = args.out + token * args.out_stride;
    int64_t i = 0;
    for (; i + kLanes <= args.width; i += kLanes) {
      _mm256_storeu_ps(out + i, _mm256_mul_ps(silu_ps(_mm256_loadu_ps(a + i)), _mm256_loadu_ps(b + i)));
    }
    if (i == args.width) continue;
    const __m256i rest = first_lanes(args.width - i);
    const __m256 gate = silu_ps(_mm256_maskload_ps(a + i, rest));
    _mm256_maskstore_ps(out + i, rest, _mm256_mul_ps(gate, _mm256_maskload_ps(b + i, rest)));
  }
}

void add(const ExecContext&, const BinaryArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* a = args.a + token * args.a_stride;
    const float* b = args.b + token * args.b_stride;
    float* out = args.out + token * args.out_stride;
    int64_t i = 0;
    for (; i + kLanes <= args.width; i += kLanes) {
      _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    }
    for (; i < args.width; ++i) out[i] = a[i] + b[i];
  }
}

// The largest element that is not NaN, or -infinity.
float highest(const float* x, int64_t count) {
  __m256 best[4];
  for (auto& b : best) b = _mm256_set1_ps(-__builtin_inff());
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (int k = 0; k < 4; ++k) best[k] = _mm256_max_ps(_mm256_loadu_ps(x + i + k * kLanes), best[k]);
  }
  const __m256 all = _mm256_max_ps(_mm256_max_ps(best[0], best[1]), _mm256_max_ps(best[2], best[3]));
  float lanes[kLanes];
  _mm256_storeu_ps(lanes, all);
  float most = lanes[0];
  for (float lane : lanes) most = lane > most ? lane : most;
  for (; i < count; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

int64_t argmax(const float* x, int64_t count) {
  const float most = highest(x, count);
  const __m256 wanted = _mm256_set1_ps(most);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const int equal = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + i), wanted, _CMP_EQ_OQ));
    if (equal != 0) return i + __builtin_ctz(static_cast<unsigned>(equal));
  }
  for (; i < count; ++i) {
    if (x[i] == most) return i;
  }
  return 0;
}

void max_sum_exp(const float* x, int64_t count, float scale, float* maximum, double* sum) {
  const float most = highest(x, count);
  const __m256 base = _mm256_set1_ps(most);
  const __m256 factor = _mm256_set1_ps(scale);
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i < count; i += kLanes) {
    const bool whole = i + kLanes <= count;
    const __m256i mask = first_lanes(whole ? kLanes : count - i);
    const __m256 values = whole ? _mm256_loadu_ps(x + i) : _mm256_maskload_ps(x + i, mask);
    __m256 terms = exp_ps(_mm256_mul_ps(factor, _mm256_sub_ps(values, base)));
    if (!whole) terms = _mm256_and_ps(terms, _mm256_castsi256_ps(mask));
    low = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_castps256_ps128(terms)));
    high = _mm256_add_pd(high, _mm256_cvtps_pd(_mm256_extractf128_ps(terms, 1)));
  }
  double lanes[4];
  _mm256_storeu_pd(lanes, _mm256_add_pd(low, high));
  *maximum = most;
  *sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

// Most groups of 32 have nothing above a threshold that is worth asking for.
int64_t select(const float* x, int64_t count, float threshold, int32_t* out) {
  const __m256 least = _mm256_set1_ps(threshold);
  int64_t found = 0;
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    uint32_t above = 0;
    for (int k = 0; k < 4; ++k) {
      const __m256 values = _mm256_loadu_ps(x + i + k * kLanes);
      const int lanes = _mm256_movemask_ps(_mm256_cmp_ps(values, least, _CMP_GE_OQ));
      above |= static_cast<uint32_t>(lanes) << (k * kLanes);
    }
    for (; above != 0; above &= above - 1) out[found++] = static_cast<int32_t>(i + __builtin_ctz(above));
  }
  for (; i < count; ++i) {
    if (x[i] >= threshold) out[found++] = static_cast<int32_t>(i);
  }
  return found;
}

}  // namespace

void fill_rows_avx2(KernelTable& table) {
  table.silu_mul = silu_mul;
  table.add = add;
  table.argmax = argmax;
  table.max_sum_exp = max_sum_exp;
  table.select = select;
}

}  // namespace quire
