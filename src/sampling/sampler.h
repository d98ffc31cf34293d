// Chooses tokens from logits. The choice for a sequence depends on its logits, its parameters, its seed and
// how many tokens it has, never on who shares the batch or on which thread does it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "kernels/kernel_table.h"
#include "sampling/candidates.h"
#include "sampling/logits_processor.h"
#include "step/step_output.h"

namespace quire {

struct SampleResult {
  TokenId token = 0;              // -1: a beam's candidates are in `top`, or no token is allowed
  float logprob = 0;              // if the sequence asked for log-probabilities, or will be ranked by them
  std::vector<TokenLogprob> top;  // the alternatives it asked for, most likely first; keeps its capacity
};

class Sampler {
 public:
  // `kernels` outlives the sampler. Calls with different `thread` (0 <= thread < num_threads) may run at
  // once.
  Sampler(const KernelTable& kernels, int32_t vocab_size, int num_threads);

  // logits: [vocab], unchanged. Log-probabilities are of the model's own distribution; those of a beam's
  // candidates are of the processed one.
  void sample(int thread, std::span<const float> logits, const SequenceView& sequence,
              SampleResult& result);

  // The log-probability of a given token (of a prompt) and the num_top best.
  void score(std::span<const float> logits, TokenId token, int32_t num_top, SampleResult& result) const;

  // The scratch of all threads; none of it grows later.
  static int64_t bytes(int32_t vocab_size, int num_threads);

 private:
  struct Scratch {
    std::vector<float> logits;
    std::vector<Candidate> candidates;
    CandidateScratch filter;
    std::vector<double> chunk_sums;
    std::vector<float> chunk_maxima;
    SeenTokens seen;
  };

  // Without the grammar's mask.
  std::span<const float> process(Scratch& scratch, std::span<const float> logits,
                                 const SequenceView& sequence) const;
  // With it.
  static std::span<const float> mask(Scratch& scratch, std::span<const float> logits,
                                     std::span<const uint32_t> allowed);
  TokenId choose(Scratch& scratch, std::span<const float> logits, const SequenceView& sequence) const;
  // Of the allowed tokens that with the largest logit; the first of equals.
  TokenId most_likely(std::span<const float> logits, std::span<const uint32_t> allowed) const;
  // What a beam of a search that is `width` wide can contribute to any choice: its `width` best tokens, and
  // as many of those behind them as it takes to have `width` that do not stop. At most 2 * width.
  void find_candidates(std::span<const float> logits, const SamplingParams& params,
                       SampleResult& result) const;
  TokenId draw(Scratch& scratch, std::span<const float> logits, std::span<const uint32_t> allowed,
               double scale, double uniform) const;
  TokenId draw_filtered(Scratch& scratch, std::span<const float> logits, const SamplingParams& params,
                        double uniform) const;

  const KernelTable* kernels_;
  std::vector<std::unique_ptr<const LogitsProcessor>> processors_;
  std::vector<Scratch> scratch_;  // by thread
};

}  // namespace quire
