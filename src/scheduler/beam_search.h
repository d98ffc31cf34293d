// The choice of surviving beams of one request: which candidates of its live beams go on, which have ended,
// and when the search is over. Follows BeamSearchScorer of Hugging Face's transformers, so that the same
// parameters mean the same:
//
// - The score of a hypothesis is its cumulative log-probability / length ^ length_penalty, where length
//   counts the generated tokens, the one that ended it included, and the prompt's do not count.
// - In each choice, candidates of all beams are taken from the best on, by cumulative log-probability. One
//   that stops, and is among the first `width`, is a hypothesis; the first `width` that do not stop are the
//   next live beams. The best `width` hypotheses are kept.
// - The search is over when `width` hypotheses are there and
//     early_stopping true: at once;
//     false: the best candidate of this choice, scored at its own length, does not beat the worst of them;
//     "never": nothing that it could become beats it: it is scored at max_tokens if length_penalty is
//       positive, else at its own length.
// - At max_tokens the live beams become hypotheses too, unless the search was over by the rule above.
//
// Ties: the beam that stands higher, then the lower token id; among hypotheses the one found earlier. So the
// result depends on nothing but the candidates. Owned by the scheduler; engine thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.h"
#include "request/sequence_group.h"
#include "step/step_output.h"

namespace quire {

struct BeamHypothesis {
  std::vector<TokenId> tokens;  // generated, the one that ended it included
  std::vector<float> logprobs;  // of each, given those before it
  double score = 0;
  FinishReason finish_reason = FinishReason::kNone;  // kStop or kLength
};

// What one choice changes, in indices of the group's sequences. A beam with several children stays with the
// first of them; the others take the sequences of beams without any.
struct BeamChoice {
  struct Branch {
    int32_t parent = 0, child = 0;
  };
  struct Growth {
    int32_t sequence = 0;
    TokenId token = 0;
  };
  std::vector<int32_t> dead;  // to be freed before the branches
  std::vector<Branch> branches;
  std::vector<Growth> growths;  // of all live beams, once the branches are made; best first

  void clear();
};

class BeamSearch {
 public:
  explicit BeamSearch(const SamplingParams& params);

  // Candidates of the live beam in sequence `index`, most likely first, as Sampler::find_candidates leaves
  // them. True if all live beams now have theirs; then choose() is due.
  bool take(int32_t index, std::span<const TokenLogprob> candidates);

  // Chooses; the outputs of the group's sequences are those of the live beams, and change only after this.
  // True if the search goes on by `choice`; false if it is over.
  bool choose(const SequenceGroup& group, BeamChoice& choice);

  // Whether some live beams have their candidates, and wait for those of the others.
  bool has_candidates() const { return std::ranges::any_of(beams_, &Beam::answered); }

  int32_t num_beams() const { return static_cast<int32_t>(beams_.size()); }

  // Preempted: brings the live beams to the group's first sequences, best first, and forgets the candidates
  // that some of them have; they will come again.
  void restart(SequenceGroup& group);

  // The best `count` hypotheses, best first; fewer only where candidates had no finite log-probability. Once
  // the search is over.
  std::vector<BeamHypothesis> take_best(int32_t count);

 private:
  struct Beam {
    int32_t sequence = 0;
    double sum = 0;  // cumulative log-probability
    std::vector<float> logprobs;
    bool answered = false;
    std::vector<TokenLogprob> candidates;
  };
  struct Child {
    int32_t parent = 0;  // of beams_
    TokenId token = 0;
    float logprob = 0;
    double sum = 0;
  };

  Child pop_best(std::vector<size_t>& next) const;
  void add_hypothesis(const SequenceGroup& group, const Child& child, FinishReason reason);
  bool is_over(double best_sum, int32_t length) const;
  void place(const std::vector<Child>& children, int32_t num_sequences, BeamChoice& choice);

  const int32_t width_, max_tokens_;
  const double length_penalty_;
  const EarlyStopping early_stopping_;
  std::vector<Beam> beams_;            // live, best first
  std::vector<BeamHypothesis> ended_;  // at most width_, best first
};

// Why a search ended that found fewer hypotheses than it was to: its grammar has no more, or the model gave
// no probabilities.
inline FinishReason failure_of_search(const SequenceGroup& group) {
  return group.params()->grammar != nullptr ? FinishReason::kDeadEnd : FinishReason::kError;
}

}  // namespace quire
