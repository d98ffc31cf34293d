// Beam searches in the scheduler: what a choice means for rows and blocks.
#include <utility>

#include "scheduler/scheduler.h"

namespace quire {

void Scheduler::take_candidates(SequenceGroup& group, Sequence& sequence,
                                std::span<const TokenLogprob> candidates, StepEvents& events) {
  sequence.last_token_ns = events.now_ns;
  if (group.times.first_token_ns == kNotYet) group.times.first_token_ns = events.now_ns;
  BeamSearch& search = searches_.at(group.id());
  if (!search.take(sequence.index, candidates)) return;
  events.choices.push_back(&group);
  if (search.choose(group, choice_)) {
    grow_beams(group);
    group.num_beams = static_cast<uint8_t>(search.num_beams());
  } else {
    end_search(group, search, events);
  }
}

// Freed blocks first: branches then only add holders, and no block that lives on is ever free in between.
void Scheduler::grow_beams(SequenceGroup& group) {
  const auto sequences = group.sequences();
  for (const int32_t index : choice_.dead) {
    Sequence& dead = sequences[static_cast<size_t>(index)];
    drop_row(dead);
    dead.output.clear();
  }
  for (const auto& branch : choice_.branches) {
    const Sequence& parent = sequences[static_cast<size_t>(branch.parent)];
    Sequence& child = sequences[static_cast<size_t>(branch.child)];
    memory_.fork(parent.slot, child.slot);
    branches_.push_back({.parent = parent.slot,
                         .child = child.slot,
                         .seed = child.seed,
                         .num_tokens = parent.num_computed,
                         .tokens = {}});
    child.output.assign(parent.output.begin(), parent.output.end());
    child.num_computed = parent.num_computed;
    child.num_blocks_sent = parent.num_blocks_sent;
    child.has_row = true;
    child.last_step = parent.last_step;
    child.last_token_ns = parent.last_token_ns;
  }
  for (const auto& [index, token] : choice_.growths) {
    Sequence& beam = sequences[static_cast<size_t>(index)];
    beam.output.push_back(token);
    grown_.push_back({.slot = beam.slot, .token = token});
  }
  group.forked = true;
}

void Scheduler::end_search(SequenceGroup& group, BeamSearch& search, StepEvents& events) {
  shares_.settle(group);  // while its beams have their tokens
  const int32_t n = group.params()->n;
  auto best = search.take_best(n);
  if (std::ssize(best) < n) best.clear();
  const auto sequences = group.sequences();
  for (size_t i = sequences.size(); i-- > 0;) {  // the best one last: its reason is the group's
    sequences[i].output.clear();
    if (i < best.size()) sequences[i].output = best[i].tokens;
    end(group, sequences[i],
        best.empty()      ? failure_of_search(group)
        : i < best.size() ? best[i].finish_reason
                          : FinishReason::kStop);
  }
  events.searches.push_back({.group = &group, .best = std::move(best)});
}

}  // namespace quire
