#include "scheduler/prefix_reuse.h"

#include <algorithm>

#include "base/check.h"
#include "scheduler/group_progress.h"

namespace quire {
namespace {

SequenceTokens tokens_of(const SequenceGroup& group, const Sequence& sequence) {
  return {group.prompt(), sequence.output};
}

int32_t longest_match(const SequenceGroup& group) {
  if (group.params()->pools_from_start()) return 0;
  const int32_t num_tokens =
      will_fork(group) ? group.num_prompt_tokens() : group.num_tokens(group.leader());
  const bool owes_logprobs =
      group.params()->prompt_logprobs && group.next_prompt_logprob < group.num_prompt_tokens();
  return owes_logprobs ? group.next_prompt_logprob - 1 : num_tokens - 1;
}

}  // namespace

PrefixReuse::PrefixReuse(KvCacheManager& memory, int32_t max_rows) : memory_(memory) {
  edits_.reserve(static_cast<size_t>(max_rows));
}

void PrefixReuse::enter(SequenceGroup& group) {
  if (!on()) return;
  group.prefix_scope = memory_.prefix_cache()->open({.tenant = group.tenant(), .salt = group.cache_salt()});
}

void PrefixReuse::leave(SequenceGroup& group) {
  if (on()) memory_.prefix_cache()->close(group.prefix_scope);
  group.prefix_scope = kNoScope;
}

const PrefixMatch& PrefixReuse::match(const SequenceGroup& group) {
  if (on()) {
    memory_.match(group.prefix_scope, tokens_of(group, group.leader()), longest_match(group), match_);
  }
  return match_;
}

void PrefixReuse::adopt(SequenceGroup& group, Sequence& leader) {
  if (!on()) return;
  if (!match_.blocks.empty()) {
    memory_.add(leader.slot, int64_t{group.num_prompt_tokens()} + group.params()->max_tokens);
    memory_.adopt(leader.slot, match_);
    leader.num_computed = memory_.table(leader.slot).num_tokens;
  }
  if (group.num_preemptions > 0) return;
  group.num_cached_tokens = leader.num_computed;
  num_tokens_queried_ += group.num_prompt_tokens();
  num_tokens_found_ += leader.num_computed;
}

void PrefixReuse::cache(const SequenceGroup& group, const Sequence& sequence, int32_t num_tokens) {
  if (!on()) return;
  memory_.cache_blocks(sequence.slot, group.prefix_scope, tokens_of(group, sequence), num_tokens, edits_);
}

void PrefixReuse::pin(SequenceGroup& group, const Sequence& sequence) {
  memory_.pin(group.id(), sequence.slot);
  group.pinned = true;
}

void PrefixReuse::take_edits(std::vector<BlockEdit>& out) {
  out.insert(out.end(), edits_.begin(), edits_.end());
  edits_.clear();
}

void PrefixReuse::drop_edits(SlotId slot) {
  if (edits_.empty()) return;
  std::erase_if(edits_, [slot](const BlockEdit& edit) { return edit.slot == slot; });
}

Expected<> PrefixReuse::check(const SequenceGroup& group, const Sequence& sequence) const {
  if (!on() || !memory_.contains(sequence.slot)) return {};
  return memory_.check_cached(sequence.slot, group.prefix_scope, tokens_of(group, sequence));
}

}  // namespace quire
