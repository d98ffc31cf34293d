// Beam search as one would write it on paper: every beam is a whole history, nothing is shared, and all
// children of all beams are sorted. Over any function from a history to candidates with their
// log-probabilities. What the engine's search is compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "config/sampling_params.h"
#include "step/step_output.h"

namespace quire {

struct NaiveHypothesis {
  std::vector<TokenId> tokens;
  double score = 0;
  bool stopped = false;
};

inline bool naive_stops(const SamplingParams& params, TokenId token) {
  const auto has = [token](const auto& tokens) { return std::ranges::find(tokens, token) != tokens.end(); };
  return has(params.stop_token_ids) || (!params.ignore_eos && has(params.eos_token_ids));
}

// The n best. `candidates(history)` may be in any order, and must hold all that can matter.
template <class Candidates>
std::vector<NaiveHypothesis> naive_beam_search(const std::vector<TokenId>& prompt,
                                               const SamplingParams& params, Candidates&& candidates) {
  struct Beam {
    std::vector<TokenId> tokens;
    double sum = 0;
  };
  struct Child {
    size_t parent = 0;
    TokenLogprob token;
    double sum = 0;
  };
  const auto width = static_cast<size_t>(params.num_sequences());
  const auto score = [&](double sum, int32_t length) {
    return sum / std::pow(length, params.length_penalty);
  };
  std::vector<NaiveHypothesis> ended;
  const auto add = [&](const Beam& parent, const Child& child, bool stopped) {
    NaiveHypothesis hypothesis{parent.tokens, 0, stopped};
    hypothesis.tokens.push_back(child.token.token);
    hypothesis.score = score(child.sum, static_cast<int32_t>(hypothesis.tokens.size()));
    ended.push_back(hypothesis);
    std::ranges::stable_sort(ended, std::ranges::greater(), &NaiveHypothesis::score);
    if (ended.size() > width) ended.pop_back();
  };

  std::vector<Beam> beams(1);
  for (int32_t length = 1; !beams.empty(); ++length) {
    std::vector<Child> children;
    for (size_t b = 0; b < beams.size(); ++b) {
      std::vector<TokenId> history = prompt;
      history.insert(history.end(), beams[b].tokens.begin(), beams[b].tokens.end());
      for (const TokenLogprob& token : candidates(history)) {
        children.push_back({b, token, beams[b].sum + static_cast<double>(token.logprob)});
      }
    }
    std::ranges::sort(children, [](const Child& a, const Child& b) {
      return std::tuple(-a.sum, a.parent, a.token.token) < std::tuple(-b.sum, b.parent, b.token.token);
    });
    std::vector<Child> live;
    for (size_t place = 0; place < children.size() && live.size() < width; ++place) {
      const bool stops = naive_stops(params, children[place].token.token) && length > params.min_tokens;
      if (!stops) live.push_back(children[place]);
      if (stops && place < width) add(beams[children[place].parent], children[place], true);
    }
    if (ended.size() == width) {
      if (params.early_stopping == EarlyStopping::kTrue) break;
      const bool never = params.early_stopping == EarlyStopping::kNever && params.length_penalty > 0;
      if (ended.back().score >= score(children[0].sum, never ? params.max_tokens : length)) break;
    }
    std::vector<Beam> next;
    for (const Child& child : live) {
      if (length == params.max_tokens) {
        add(beams[child.parent], child, false);
        continue;
      }
      next.push_back({beams[child.parent].tokens, child.sum});
      next.back().tokens.push_back(child.token.token);
    }
    beams = next;
  }
  ended.resize(std::min(ended.size(), static_cast<size_t>(params.n)));
  return ended;
}

}  // namespace quire
