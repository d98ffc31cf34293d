#include "scheduler/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

double score_of(double sum, int32_t length, double length_penalty) {
  return sum / std::pow(length, length_penalty);
}

}  // namespace

void BeamChoice::clear() {
  dead.clear();
  branches.clear();
  growths.clear();
}

BeamSearch::BeamSearch(const SamplingParams& params)
    : width_(params.num_sequences()),
      max_tokens_(params.max_tokens),
      length_penalty_(params.length_penalty),
      early_stopping_(params.early_stopping),
      beams_(1) {}

bool BeamSearch::take(int32_t index, std::span<const TokenLogprob> candidates) {
  const auto beam = std::ranges::find(beams_, index, &Beam::sequence);
  CHECK(beam != beams_.end() && !beam->answered, "sequence {} is no beam that awaits candidates", index);
  beam->candidates.assign(candidates.begin(), candidates.end());
  beam->answered = true;
  return std::ranges::all_of(beams_, &Beam::answered);
}

// The lists are sorted, so the best is at the front of one of them. Parent -1: none is left.
BeamSearch::Child BeamSearch::pop_best(std::vector<size_t>& next) const {
  Child best{.parent = -1};
  for (size_t b = 0; b < beams_.size(); ++b) {
    if (next[b] == beams_[b].candidates.size()) continue;
    const auto [token, logprob] = beams_[b].candidates[next[b]];
    const double sum = beams_[b].sum + static_cast<double>(logprob);
    if (best.parent < 0 || sum > best.sum) best = {static_cast<int32_t>(b), token, logprob, sum};
  }
  if (best.parent >= 0) ++next[static_cast<size_t>(best.parent)];
  return best;
}

bool BeamSearch::choose(const SequenceGroup& group, BeamChoice& choice) {
  choice.clear();
  const auto& output = group.sequences()[static_cast<size_t>(beams_.front().sequence)].output;
  const auto length = static_cast<int32_t>(output.size()) + 1;
  std::vector<size_t> next(beams_.size(), 0);
  std::vector<Child> children;
  double best_sum = 0;
  for (int32_t place = 0; std::ssize(children) < width_; ++place) {
    const Child child = pop_best(next);
    if (child.parent < 0) break;
    if (place == 0) best_sum = child.sum;
    if (!group.stops(child.token, length)) {
      children.push_back(child);
    } else if (place < width_) {
      add_hypothesis(group, child, FinishReason::kStop);
    }
  }
  if (is_over(best_sum, length)) return false;
  if (length >= max_tokens_ || children.empty()) {
    for (const Child& child : children) add_hypothesis(group, child, FinishReason::kLength);
    return false;
  }
  place(children, static_cast<int32_t>(group.sequences().size()), choice);
  return true;
}

void BeamSearch::add_hypothesis(const SequenceGroup& group, const Child& child, FinishReason reason) {
  const Beam& parent = beams_[static_cast<size_t>(child.parent)];
  const auto& output = group.sequences()[static_cast<size_t>(parent.sequence)].output;
  const auto length = static_cast<int32_t>(output.size()) + 1;
  const double score = score_of(child.sum, length, length_penalty_);
  const auto at =
      std::ranges::find_if(ended_, [&](const BeamHypothesis& other) { return score > other.score; });
  if (at == ended_.end() && std::ssize(ended_) == width_) return;
  BeamHypothesis hypothesis{
      .tokens = output, .logprobs = parent.logprobs, .score = score, .finish_reason = reason};
  hypothesis.tokens.push_back(child.token);
  hypothesis.logprobs.push_back(child.logprob);
  ended_.insert(at, std::move(hypothesis));
  if (std::ssize(ended_) > width_) ended_.pop_back();
}

bool BeamSearch::is_over(double best_sum, int32_t length) const {
  if (std::ssize(ended_) < width_) return false;
  if (early_stopping_ == EarlyStopping::kTrue) return true;
  const bool may_grow = early_stopping_ == EarlyStopping::kNever && length_penalty_ > 0;
  return ended_.back().score >= score_of(best_sum, may_grow ? max_tokens_ : length, length_penalty_);
}

// Children become the live beams, in their order.
void BeamSearch::place(const std::vector<Child>& children, int32_t num_sequences, BeamChoice& choice) {
  std::vector<bool> taken(static_cast<size_t>(num_sequences), false);
  std::vector<bool> stays(beams_.size(), false);  // by parent: its first child was met
  for (const Child& child : children) {
    taken[static_cast<size_t>(beams_[static_cast<size_t>(child.parent)].sequence)] = true;
  }
  for (const Beam& beam : beams_) {
    if (!taken[static_cast<size_t>(beam.sequence)]) choice.dead.push_back(beam.sequence);
  }
  std::vector<Beam> grown;
  for (const Child& child : children) {
    const auto parent_index = static_cast<size_t>(child.parent);
    const Beam& parent = beams_[parent_index];
    Beam& beam = grown.emplace_back(
        Beam{.sequence = parent.sequence, .sum = child.sum, .logprobs = parent.logprobs, .candidates = {}});
    beam.logprobs.push_back(child.logprob);
    if (stays[parent_index]) {
      const auto spare = std::ranges::find(taken, false);
      CHECK(spare != taken.end());
      *spare = true;
      beam.sequence = static_cast<int32_t>(spare - taken.begin());
      choice.branches.push_back({.parent = parent.sequence, .child = beam.sequence});
    }
    stays[parent_index] = true;
    choice.growths.push_back({.sequence = beam.sequence, .token = child.token});
  }
  beams_ = std::move(grown);
}

void BeamSearch::restart(SequenceGroup& group) {
  std::vector<std::vector<TokenId>> outputs;
  for (Beam& beam : beams_) {
    outputs.push_back(std::move(group.sequences()[static_cast<size_t>(beam.sequence)].output));
    beam.sequence = static_cast<int32_t>(outputs.size()) - 1;
    beam.answered = false;
  }
  outputs.resize(group.sequences().size());
  for (size_t i = 0; i < outputs.size(); ++i) group.sequences()[i].output = std::move(outputs[i]);
}

std::vector<BeamHypothesis> BeamSearch::take_best(int32_t count) {
  if (std::ssize(ended_) > count) ended_.resize(static_cast<size_t>(count));
  return std::exchange(ended_, {});
}

}  // namespace quire
