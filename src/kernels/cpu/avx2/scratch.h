// How the AVX2 linears use a thread's scratch: sums of a pair of groups for up to kSumTokens tokens, and a
// panel of unpacked weights. Sizes are for an L1 of 32 KiB (panel, and what streams by) and an L2 of 512
// KiB.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_args.h"

namespace quire::avx2 {
namespace {

[[maybe_unused]] constexpr int64_t kPanelGroups = 2;   // groups of 8 rows that share activations
[[maybe_unused]] constexpr int64_t kPanelBlocks = 24;  // blocks of 32 k in a panel
[[maybe_unused]] constexpr int64_t kPanelBytes = 16 * 1024;
[[maybe_unused]] constexpr int64_t kSumStride = kPanelGroups * 8;  // floats from token to token
[[maybe_unused]] constexpr int64_t kSumTokens = 512;               // a multiple of the tile
[[maybe_unused]] constexpr int64_t kSumBytes = kSumTokens * kSumStride * 4;
[[maybe_unused]] constexpr int64_t kLinearScratchBytes = kSumBytes + kPanelBytes;

// A weight stream is prefetched so far ahead where each byte is used at once.
[[maybe_unused]] constexpr int64_t kStreamAhead = 2048;

struct Scratch {
  explicit Scratch(const ExecContext& context)
      : sums(reinterpret_cast<float*>(context.scratch)), panel(context.scratch + kSumBytes) {}
  float* sums;  // [token][kSumStride]
  std::byte* panel;
};

// Fetches the next panel's two streams in even steps while tiles run over the present one.
class Prefetcher {
 public:
  Prefetcher(const std::byte* first, int64_t stride, int64_t bytes, int64_t steps)
      : at_(reinterpret_cast<const char*>(first)),
        stride_(stride),
        end_(at_ + bytes),
        step_((bytes / steps + kLine) / kLine * kLine) {}

  void step() {
    for (const char* stop = at_ + step_; at_ < stop && at_ < end_; at_ += kLine) {
      _mm_prefetch(at_, _MM_HINT_T0);
      _mm_prefetch(at_ + stride_, _MM_HINT_T0);
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  const char* at_;
  int64_t stride_;
  const char* end_;
  int64_t step_;
};

}  // namespace
}  // namespace quire::avx2
