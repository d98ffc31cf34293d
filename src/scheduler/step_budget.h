// How many tokens of prefills a step may hold beside its decodes, so that the step takes no longer than a
// target: a client that is being answered then sees no gap larger than that for another's prompt. Learns
// from every step what decodes take (by their number, in powers of two) and what a prefilled token adds.
// Engine thread only.
#pragma once

#include <array>
#include <cstdint>

namespace quire {

// A step prefills at least so many tokens, or prompts would never end where decodes alone take the target.
inline constexpr int32_t kLeastPrefillTokens = 16;

class StepBudget {
 public:
  // target_ns 0: no target, all that is left of `max_tokens`.
  StepBudget(int32_t max_tokens, int64_t target_ns) : max_tokens_(max_tokens), target_ns_(target_ns) {}

  // Without decodes nobody waits, and the whole step is the prefills'. May be 0 if decodes fill the step.
  int32_t prefill_tokens(int32_t num_decodes) const;

  void learn(int32_t num_decodes, int32_t num_prefill_tokens, int64_t step_ns);

 private:
  double decode_ns(int32_t num_decodes) const;

  const int32_t max_tokens_;
  const int64_t target_ns_;
  std::array<double, 32> decode_ns_{};  // by the number's width in bits; 0: not known
  double prefill_token_ns_ = 0;         // 0: not known
};

}  // namespace quire
