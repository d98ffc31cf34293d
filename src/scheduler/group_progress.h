// How far the sequences of a group are, and what they would compute next.
#pragma once

#include <cstdint>

#include "request/sequence_group.h"

namespace quire {

// Has a row, or is about to get one: for the prefill that its group shares, or back from the swap space.
inline bool is_runnable(const SequenceGroup& group, const Sequence& sequence) {
  if (sequence.finished()) return false;
  return sequence.has_row ||
         (group.forked ? group.returned && sequence.num_computed > 0 : group.is_leader(sequence));
}

// Tokens that are not in the cache and not on their way to it.
inline int32_t num_pending(const SequenceGroup& group, const Sequence& sequence) {
  return group.num_tokens(sequence) - sequence.num_computed;
}

// It has a row, and only its last sampled token is missing from the cache.
inline bool is_decode(const SequenceGroup& group, const Sequence& sequence) {
  return sequence.has_row && !sequence.output.empty() && num_pending(group, sequence) == 1;
}

inline bool will_fork(const SequenceGroup& group) { return !group.forked && group.num_entrants() > 1; }

// A prefill that is to fork stops where the sequences part.
inline int32_t prefill_limit(const SequenceGroup& group, const Sequence& sequence) {
  return will_fork(group) ? group.num_prompt_tokens() - sequence.num_computed
                          : num_pending(group, sequence);
}

}  // namespace quire
