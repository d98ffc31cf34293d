// Epilogues of the AVX2 linears, applied to finished sums.
#pragma once

#include <immintrin.h>

#include "kernels/cpu/avx2/exp.h"
#include "kernels/cpu/avx2/scratch.h"
#include "kernels/kernel_args.h"

namespace quire::avx2 {
namespace {

// Finished sums of `num_groups` neighbouring groups for tokens [first_token, first_token + num_tokens).
struct SumTile {
  const float* sums;  // [num_tokens][kSumStride]
  int64_t num_groups;
  int64_t first_group;
  int64_t first_token;
  int64_t num_tokens;
};

inline void store_sums(const LinearArgs& args, const SumTile& tile) {
  const float* sums = tile.sums;
  for (int64_t t = 0; t < tile.num_tokens; ++t, sums += kSumStride) {
    float* row = args.out + (tile.first_token + t) * args.out_stride;
    if (args.epilogue == Epilogue::kSiluMul) {
      for (int64_t g = 0; g < tile.num_groups; g += 2) {
        const __m256 gate = silu_ps(_mm256_loadu_ps(sums + g * 8));
        _mm256_storeu_ps(row + (tile.first_group + g) * 4,
                         _mm256_mul_ps(gate, _mm256_loadu_ps(sums + g * 8 + 8)));
      }
      continue;
    }
    for (int64_t g = 0; g < tile.num_groups; ++g) {
      float* out = row + (tile.first_group + g) * 8;
      const __m256 sum = _mm256_loadu_ps(sums + g * 8);
      _mm256_storeu_ps(out,
                       args.epilogue == Epilogue::kAdd ? _mm256_add_ps(_mm256_loadu_ps(out), sum) : sum);
    }
  }
}

}  // namespace
}  // namespace quire::avx2
