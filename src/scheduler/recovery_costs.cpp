#include "scheduler/recovery_costs.h"

#include <algorithm>

namespace quire {
namespace {

constexpr double kWeight = 0.125;         // of the newest measurement
constexpr int32_t kMaxFailures = 6;       // at most 64 groups are recomputed before another try
constexpr int32_t kDearBeforeRetry = 64;  // a disk that was slow once may have become fast

}  // namespace

void RecoveryCosts::learn(double& ns_per_unit, int64_t count, int64_t ns) {
  if (count <= 0 || ns <= 0) return;
  const double measured = static_cast<double>(ns) / static_cast<double>(count);
  ns_per_unit += ns_per_unit == 0 ? measured : kWeight * (measured - ns_per_unit);
}

void RecoveryCosts::swapped_in(int64_t num_blocks, int64_t ns) {
  learn(in_ns_per_block_, num_blocks, ns);
  if (num_blocks > 0) num_failures_ = 0;
}

void RecoveryCosts::swap_failed() {
  num_failures_ = std::min(num_failures_ + 1, kMaxFailures);
  num_to_skip_ = 1 << num_failures_;
}

bool RecoveryCosts::prefer_swap(int64_t num_blocks, int64_t num_tokens) {
  if (num_to_skip_ > 0) {
    --num_to_skip_;
    return false;
  }
  const double swap_ns = (out_ns_per_block_ + in_ns_per_block_) * static_cast<double>(num_blocks);
  const double recompute_ns = ns_per_token_ * static_cast<double>(num_tokens);
  const bool cheap = ns_per_token_ == 0 || swap_ns <= recompute_ns;
  if (!cheap && ++num_dear_ < kDearBeforeRetry) return false;
  num_dear_ = 0;
  return true;
}

}  // namespace quire
