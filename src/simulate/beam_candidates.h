// What a language model could answer to the beams of a search, where there is none: how fast beams part, and
// so what they share, follows from how a next token's probability is spread, not from which token it is.
//
// The probabilities of each answer, largest first, are drawn from the Poisson-Dirichlet distribution (Pitman
// and Yor 1997), which the counts of words follow: points of a Poisson process to the power -1 / kSpread,
// divided by their sum. The probability that two draws from one answer agree is then 1 - kSpread on average.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "step/step_output.h"

namespace quire {

class BeamCandidates {
 public:
  // Measured: two draws agree in 44.5% of 728 answers of SmolLM2-135M-Instruct, on its greedy way through
  // ordinary questions.
  static constexpr double kSpread = 0.55;
  static constexpr int32_t kMost = 64;  // candidates of one answer

  // The `count` most likely of the next answer, at most kMost, most likely first; tokens 1, 2, ...
  std::span<const TokenLogprob> next(int32_t count);

 private:
  void draw_answers();

  std::vector<TokenLogprob> answers_;  // kMost each, drawn when the first is asked for
  uint64_t num_given_ = 0;
};

}  // namespace quire
