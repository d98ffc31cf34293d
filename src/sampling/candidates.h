// The tokens that a filtered distribution leaves: temperature, min-p (Nguyen et al. 2024), top-k (Fan et
// al. 2018) and top-p (Holtzman et al. 2020), in that order, without sorting the vocabulary.
#pragma once

#include <span>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"
#include "kernels/kernel_table.h"
#include "step/step_output.h"

namespace quire {

struct Candidate {
  TokenId token = 0;
  float logit = 0;
  double weight = 0;  // exp((logit - maximum) / temperature), not normalized
};

// Fills `out` with the survivors, most likely first (lower ids first among equals), never empty. `out` is
// scratch that keeps its capacity.
void filter_candidates(std::span<const float> logits, const SamplingParams& params,
                       const KernelTable& kernels, std::vector<Candidate>& out);

// The `count` largest logits, most likely first, as log-probabilities given the log of the sum of
// exponentials.
void top_logprobs(std::span<const float> logits, int32_t count, double log_sum_exp,
                  std::vector<TokenLogprob>& out);

}  // namespace quire
