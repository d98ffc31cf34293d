#include "scheduler/scheduler.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "scheduler/kv_demand.h"

namespace quire {

Scheduler::Scheduler(const SchedulerOptions& options, KvCacheManager& memory)
    : options_(options),
      memory_(memory),
      slots_(options.max_num_seqs),
      prefixes_(memory, options.max_num_seqs),
      waiting_(options.policy),
      budget_(options.max_num_batched_tokens, options.max_step_ns),
      plan_(options.max_num_seqs),
      lengths_(options.expected_output_tokens),
      demand_(memory.block_size()) {
  for (InFlight& step : in_flight_) {
    step.samples.reserve(static_cast<size_t>(options.max_num_seqs));
    step.filled.reserve(static_cast<size_t>(options.max_num_seqs));
  }
  ends_.reserve(static_cast<size_t>(options.max_num_seqs));
  CHECK(options.max_num_seqs >= 1 && options.max_num_batched_tokens >= 1 && options.max_model_len >= 1);
  if (options.allocation != AllocationPolicy::kPaged) {
    const Reservations::Pool pool{.num_blocks = memory.num_blocks(),
                                  .block_size = memory.block_size(),
                                  .max_model_len = options.max_model_len};
    reservations_ = std::make_unique<Reservations>(options.allocation, pool);
  }
}

Expected<> Scheduler::check_fits(const SchedulerOptions& options, int32_t num_blocks, int32_t block_size,
                                 int64_t num_prompt_tokens, int64_t max_tokens, int32_t n,
                                 std::string_view n_field) {
  const int64_t context = options.max_model_len;
  if (num_prompt_tokens < 1) return fail_param("prompt", "the prompt is empty");
  if (num_prompt_tokens + 1 > context) {
    return fail_param("prompt",
                      "the prompt has {} tokens, but the context holds {}, with at least 1 generated",
                      num_prompt_tokens, context);
  }
  if (num_prompt_tokens + max_tokens > context) {
    return fail_param("max_tokens",
                      "the prompt has {} tokens and max_tokens is {}: {} in all, but the context holds {}",
                      num_prompt_tokens, max_tokens, num_prompt_tokens + max_tokens, context);
  }
  if (n > options.max_num_seqs) {
    return fail_param(std::string(n_field), "{} is {}, but at most {} sequences run at once (max_num_seqs)",
                      n_field, n, options.max_num_seqs);
  }
  const int64_t needed = peak_blocks(num_prompt_tokens, max_tokens, n, block_size);
  if (needed > num_blocks) {
    return fail_param(
        std::string(n > 1 ? n_field : "max_tokens"),
        "the prompt has {} tokens, max_tokens is {} and {} is {}: that can need {} blocks of {} tokens, "
        "but the KV cache has {}",
        num_prompt_tokens, max_tokens, n_field, n, needed, block_size, num_blocks);
  }
  if (options.allocation == AllocationPolicy::kPaged) return {};
  const Reservations::Pool pool{
      .num_blocks = num_blocks, .block_size = block_size, .max_model_len = options.max_model_len};
  const int64_t ranges = Reservations::capacity(options.allocation, pool, num_prompt_tokens, max_tokens);
  if (ranges >= n) return {};
  return fail_param(n > 1 ? "n" : "max_tokens",
                    "the prompt has {} tokens, max_tokens is {} and n is {}, but {} finds room for {} such "
                    "sequences in {} blocks of {} tokens",
                    num_prompt_tokens, max_tokens, n, to_string(options.allocation), ranges, num_blocks,
                    block_size);
}

void Scheduler::add(std::unique_ptr<SequenceGroup> group) {
  const bool added = by_id_.try_emplace(group->id(), group.get()).second;
  CHECK(added, "request {} was added already", group->id());
  prefixes_.enter(*group);
  shares_.arrive(*group);
  first_overdue_ns_ = std::min(first_overdue_ns_, group->times.arrival_ns + options_.max_queue_ns);
  if (group->num_beams > 0) searches_.try_emplace(group->id(), *group->params());
  waiting_.add(std::move(group));
}

SequenceGroup* Scheduler::find(RequestId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Scheduler::end(SequenceGroup& group, Sequence& sequence, FinishReason reason) {
  release(group, sequence);
  const bool by_itself = reason == FinishReason::kStop || reason == FinishReason::kLength;
  if (by_itself && !sequence.output.empty()) lengths_.add(static_cast<int32_t>(sequence.output.size()));
  const bool in_swap = group.state() == GroupState::kSwapped || group.state() == GroupState::kReturning;
  if (in_swap) memory_.drop_swapped(sequence.id);
  group.finish(sequence, reason);
  group.times.last_token_ns = std::max(group.times.last_token_ns, sequence.last_token_ns);
  if (in_swap) settle_swapped(group);
  if (group.state() == GroupState::kFinished) retire(group);
}

void Scheduler::release(const SequenceGroup& group, Sequence& sequence) {
  if (reservations_) reservations_->release(sequence.id);
  leave_in_cache(group, sequence);
  drop_row(sequence);
  if (sequence.slot != kNoSlot) slots_.give_back(sequence);
}

void Scheduler::leave_in_cache(const SequenceGroup& group, const Sequence& sequence) {
  // When a search has ended, its sequences have the results' tokens and no longer those of their rows.
  if (!sequence.has_row || group.num_beams > 0 || !memory_.contains(sequence.slot)) return;
  prefixes_.cache(group, sequence, num_known(sequence));
}

void Scheduler::drop_row(Sequence& sequence) {
  const SlotId slot = sequence.slot;
  if (slot != kNoSlot && memory_.contains(slot)) memory_.free(slot);
  std::erase_if(grown_, [slot](const RowToken& grown) { return grown.slot == slot; });
  const bool unborn =
      std::erase_if(branches_, [slot](const RowFork& fork) { return fork.child == slot; }) > 0;
  if (sequence.has_row && !unborn) ends_.push_back(slot);
  prefixes_.drop_edits(slot);
  sequence.has_row = false;
  sequence.num_in_flight = 0;
  sequence.num_computed = 0;
  sequence.num_blocks_sent = 0;
  no_room_for_ = kNoRequest;
}

void Scheduler::retire(SequenceGroup& group) {
  by_id_.erase(group.id());
  shares_.leave(group);
  searches_.erase(group.id());
  prefixes_.leave(group);
  no_room_for_ = kNoRequest;
  const auto is_group = [&](const auto& other) { return other.get() == &group; };
  if (const auto found = std::ranges::find_if(running_, is_group); found != running_.end()) {
    num_searching_ -= group.num_beams > 0 ? 1 : 0;
    ended_.push_back(std::move(*found));
    running_.erase(found);
    return;
  }
  if (const auto found = std::ranges::find_if(returning_, is_group, &Return::group);
      found != returning_.end()) {
    ended_.push_back(std::move(found->group));
    returning_.erase(found);
    return;
  }
  ended_.push_back(waiting_.take(group));
}

SequenceGroup* Scheduler::find_overdue(int64_t now_ns) {
  if (options_.max_queue_ns == 0 || now_ns < first_overdue_ns_) return nullptr;
  first_overdue_ns_ = std::numeric_limits<int64_t>::max();
  for (const auto& group : waiting_.groups()) {
    if (group->times.first_scheduled_ns != kNotYet) continue;
    const int64_t overdue_ns = group->times.arrival_ns + options_.max_queue_ns;
    if (now_ns >= overdue_ns) {
      first_overdue_ns_ = now_ns;  // there may be more
      return group.get();
    }
    first_overdue_ns_ = std::min(first_overdue_ns_, overdue_ns);
  }
  return nullptr;
}

void Scheduler::forget_rows() {
  forget_swapped();
  ends_.clear();
  branches_.clear();
  grown_.clear();
  prefixes_.drop_all_edits();
  num_in_flight_ = 0;
  for (const auto& group : running_) {
    for (Sequence& sequence : group->sequences()) {
      sequence.has_row = false;
      sequence.num_in_flight = 0;
    }
  }
}

void Scheduler::take_ended(std::vector<std::unique_ptr<SequenceGroup>>& out) {
  for (auto& group : ended_) out.push_back(std::move(group));
  ended_.clear();
}

}  // namespace quire
