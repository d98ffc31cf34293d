#include "scheduler/step_budget.h"

#include <algorithm>
#include <bit>

namespace quire {
namespace {

// Costs rise at once and fall slowly: a budget too large is a gap that somebody sees, one too small is not.
constexpr double kFall = 0.05;
constexpr double kAimShare = 0.9;  // of the target: steps differ
constexpr int32_t kFirstGuess = 64;

void follow(double& average, double sample) {
  average = sample > average ? sample : average + (sample - average) * kFall;
}

size_t width(int32_t num_decodes) {
  return static_cast<size_t>(std::bit_width(static_cast<uint32_t>(num_decodes)));
}

}  // namespace

// Of the nearest number that is known, if this one is not; the larger of two, and 0 if there is none.
double StepBudget::decode_ns(int32_t num_decodes) const {
  const size_t own = width(num_decodes);
  for (size_t distance = 0; distance < decode_ns_.size(); ++distance) {
    if (own + distance < decode_ns_.size() && decode_ns_[own + distance] > 0)
      return decode_ns_[own + distance];
    if (distance <= own && decode_ns_[own - distance] > 0) return decode_ns_[own - distance];
  }
  return 0;
}

int32_t StepBudget::prefill_tokens(int32_t num_decodes) const {
  const int32_t room = std::max(0, max_tokens_ - num_decodes);
  if (target_ns_ == 0 || num_decodes == 0) return room;
  if (prefill_token_ns_ == 0) return std::min(room, kFirstGuess);
  const double left_ns = kAimShare * static_cast<double>(target_ns_) - decode_ns(num_decodes);
  const double tokens = std::clamp(left_ns / prefill_token_ns_, double{kLeastPrefillTokens}, 1e9);
  return std::min(room, static_cast<int32_t>(tokens));
}

void StepBudget::learn(int32_t num_decodes, int32_t num_prefill_tokens, int64_t step_ns) {
  if (target_ns_ == 0 || step_ns <= 0) return;
  const auto elapsed_ns = static_cast<double>(step_ns);
  if (num_prefill_tokens == 0) {
    follow(decode_ns_[width(num_decodes)], elapsed_ns);
    return;
  }
  // At least a tenth of an equal share, or a step that took no longer than its decodes would promise that
  // prefills are free.
  const double share_ns = elapsed_ns / (num_decodes + num_prefill_tokens);
  const double added_ns = (elapsed_ns - decode_ns(num_decodes)) / num_prefill_tokens;
  follow(prefill_token_ns_, std::max(added_ns, share_ns / 10));
}

}  // namespace quire
