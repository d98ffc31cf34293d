// The scheduler's dealings with the prefix cache: what a group that enters finds there, what running
// sequences leave there, and what workers must be told when identical blocks merge. Without a prefix cache
// in the memory all of it does nothing. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "memory/kv_cache_manager.h"
#include "request/sequence_group.h"
#include "step/step_input.h"

namespace quire {

class PrefixReuse {
 public:
  // `memory` outlives this.
  explicit PrefixReuse(KvCacheManager& memory, int32_t max_rows);

  bool on() const { return memory_.prefix_cache() != nullptr; }

  // A group comes to the scheduler and goes; between them its prefixes have the scope of its tenant and
  // its salt.
  void enter(SequenceGroup& group);
  void leave(SequenceGroup& group);

  // The cached blocks that the group's next prefill begins with: its leader's prompt, and where it forks no
  // more its output too. At least one token is left to compute, and every position of the prompt whose
  // log-probability is still owed. Valid until the memory changes.
  const PrefixMatch& match(const SequenceGroup& group);

  // The leader, which has a slot and no table, begins with the blocks of the last match().
  void adopt(SequenceGroup& group, Sequence& leader);

  // The first `num_tokens` tokens of the sequence are known to be computed.
  void cache(const SequenceGroup& group, const Sequence& sequence, int32_t num_tokens);

  // The group's prompt, which ends with a block and is computed, stays cached until unpin() of its id.
  void pin(SequenceGroup& group, const Sequence& sequence);
  void unpin(RequestId id) { memory_.unpin(id); }

  // The edits since the last step, but those of slots that were dropped since.
  void take_edits(std::vector<BlockEdit>& out);
  void drop_edits(SlotId slot);
  void drop_all_edits() { edits_.clear(); }

  // Of the groups that entered for the first time: tokens of their prompts, and those found.
  int64_t num_tokens_queried() const { return num_tokens_queried_; }
  int64_t num_tokens_found() const { return num_tokens_found_; }

  Expected<> check(const SequenceGroup& group, const Sequence& sequence) const;

 private:
  KvCacheManager& memory_;
  PrefixMatch match_;
  std::vector<BlockEdit> edits_;
  int64_t num_tokens_queried_ = 0, num_tokens_found_ = 0;
};

}  // namespace quire
