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

// What filtering needs beside its result, for a vocabulary; nothing of it grows later.
struct CandidateScratch {
  explicit CandidateScratch(size_t vocab_size) : ids(vocab_size) { spare.reserve(vocab_size); }
  static int64_t bytes(int32_t vocab_size) {
    return vocab_size * static_cast<int64_t>(sizeof(int32_t) + sizeof(Candidate));
  }

  std::vector<int32_t> ids;      // [vocab]
  std::vector<Candidate> spare;  // of the sort
};

// Fills `out` with the survivors, most likely first (lower ids first among equals), never empty. `out`
// keeps its capacity.
void filter_candidates(std::span<const float> logits, const SamplingParams& params,
                       const KernelTable& kernels, CandidateScratch& scratch, std::vector<Candidate>& out);

// The `count` largest logits, most likely first, as log-probabilities given the log of the sum of
// exponentials.
void top_logprobs(std::span<const float> logits, int32_t count, double log_sum_exp,
                  std::vector<TokenLogprob>& out);

}  // namespace quire
