// Who enters, and who must go when blocks run out.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "scheduler/group_progress.h"
#include "scheduler/kv_demand.h"
#include "scheduler/scheduler.h"

namespace quire {

void Scheduler::admit_newcomers(int64_t now_ns) {
  if (waiting_.empty() || slots_.num_free() == 0) return;
  if (shares_.contended()) {
    for (const auto& group : running_) shares_.settle(*group);
  }
  const int64_t budget = budget_.prefill_tokens(plan_.num_decodes());
  demand_.clear();
  for (int64_t wanted = count_wanted(); budget > 0;) {
    // Beside one long prompt there is a share for short ones: somebody must be there to take it.
    const int64_t first =
        prefills_.empty() ? 0 : prefill_limit(*prefills_[0].group, *prefills_[0].sequence);
    if (wanted >= budget && wanted - first >= budget / 4) return;
    SequenceGroup* group = admit(now_ns);
    if (group == nullptr) return;
    if (group->state() == GroupState::kReturning) continue;  // its keys and values come first
    const size_t first_new = prefills_.size();
    plan_group(*group);
    for (size_t i = first_new; i < prefills_.size(); ++i)
      wanted += prefill_limit(*group, *prefills_[i].sequence);
  }
}

SequenceGroup* Scheduler::admit(int64_t now_ns) {
  SequenceGroup* next = waiting_.next(shares_);
  if (next == nullptr || next->id() == no_room_for_ || next->num_unfinished() > slots_.num_free()) {
    return nullptr;
  }
  SequenceGroup& group = *next;
  if (!has_room_for(group) || (group.state() == GroupState::kSwapped && !start_return(group))) {
    no_room_for_ = group.id();
    return nullptr;
  }
  if (group.state() != GroupState::kWaiting) return &group;
  take_slots(group);
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished() && group.is_leader(sequence)) prefixes_.adopt(group, sequence);
  }
  group.set_state(GroupState::kRunning);
  if (group.times.first_scheduled_ns == kNotYet) {
    group.times.first_scheduled_ns = now_ns;
    ++num_admitted_;
    shares_.settle(group);  // its prompt counts for who is next
  }
  start_running(waiting_.take(group));
  return &group;
}

void Scheduler::start_running(std::unique_ptr<SequenceGroup> group) {
  num_searching_ += group->num_beams > 0 ? 1 : 0;
  auto place = running_.end();
  if (options_.policy == SchedulingPolicy::kPriority) {
    place = std::ranges::upper_bound(
        running_, *group, [this](const auto& a, const auto& b) { return waiting_.goes_before(a, b); },
        [](const auto& other) -> const SequenceGroup& { return *other; });
  }
  running_.insert(place, std::move(group));
}

bool Scheduler::has_room_for(const SequenceGroup& group) {
  if (reservations_) return reserve(group);
  const bool swapped = group.state() == GroupState::kSwapped;  // it looks up what is cached as it returns
  if (running_.empty() && returning_.empty()) {
    if (!swapped) prefixes_.match(group);
    return true;  // who is alone fits: check_fits
  }
  if (demand_.empty()) count_demand();
  const int64_t num_blocks = memory_.num_blocks() + num_shared_;
  GroupDemand demand = demand_of(group);
  if (!swapped) {
    // A look-up that could not help is saved. What is found need not be taken if others hold it.
    const int64_t most = prefixes_.on() ? group.num_tokens(group.leader()) / memory_.block_size() : 0;
    if (!demand_.fits(demand, num_blocks + most)) return false;
    const PrefixMatch& match = prefixes_.match(group);
    demand.num_blocks -= std::ssize(match.blocks) - match.num_idle;
  }
  if (!demand_.fits(demand, num_blocks)) return false;
  demand_.add(demand);
  return true;
}

GroupDemand Scheduler::demand_of(const SequenceGroup& group) const {
  GroupDemand demand = expected_demand(group, lengths_, memory_.block_size());
  if (may_make_way()) demand.num_to_come = 0;
  return demand;
}

void Scheduler::count_demand() {
  const int64_t block_size = memory_.block_size();
  num_shared_ = memory_.num_free_blocks() - memory_.num_blocks();
  const auto count = [&](const SequenceGroup& group) {
    demand_.add(demand_of(group));
    num_shared_ += blocks_to_enter(group, block_size) - blocks_to_catch_up(group, block_size);
  };
  for (const auto& group : running_) count(*group);
  for (const Return& entry : returning_) count(*entry.group);
}

bool Scheduler::reserve(const SequenceGroup& group) {
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    if (reservations_->reserve(sequence.id, group.num_prompt_tokens(), group.params()->max_tokens))
      continue;
    for (const Sequence& reserved : group.sequences()) reservations_->release(reserved.id);
    return false;
  }
  prefixes_.match(group);
  return true;
}

void Scheduler::make_way() {
  const SequenceGroup* next = waiting_.next(shares_);
  if (next == nullptr) return;
  size_t first_after = running_.size();  // of those that go after it
  int64_t rows = slots_.num_free(), blocks = memory_.num_free_blocks();
  const int64_t needed_blocks = blocks_to_enter(*next, memory_.block_size());
  for (; first_after > 0 && waiting_.goes_before(*next, *running_[first_after - 1]); --first_after) {
    if (rows >= next->num_unfinished() && blocks >= needed_blocks) break;
    for (const Sequence& sequence : running_[first_after - 1]->sequences()) {
      if (sequence.slot == kNoSlot) continue;
      ++rows;
      if (memory_.contains(sequence.slot)) blocks += std::ssize(memory_.table(sequence.slot).blocks);
    }
  }
  if (rows < next->num_unfinished() || blocks < needed_blocks) return;
  while (running_.size() > first_after) preempt(*running_.back());
}

void Scheduler::take_slots(SequenceGroup& group) {
  for (Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    slots_.take(group, sequence);
    sequence.output.reserve(static_cast<size_t>(group.params()->max_tokens));  // check_fits bounds it
  }
}

bool Scheduler::preempt_newer_than(const SequenceGroup& group) {
  SequenceGroup& newest = *running_.back();
  const auto has_work = [this](const Sequence& sequence) { return sequence.last_step == step_id_; };
  if (&newest == &group || std::ranges::any_of(newest.sequences(), has_work)) return false;
  preempt(newest);
  return true;
}

void Scheduler::preempt(SequenceGroup& group) {
  int64_t num_outputs = 0;
  for (const Sequence& sequence : group.sequences()) num_outputs += std::ssize(sequence.output);
  if (std::exchange(group.num_outputs_preempted, num_outputs) == num_outputs) ++counts_.num_thrashes;

  const bool swapped = swap_out(group);
  ++(swapped ? counts_.num_swapped : counts_.num_recomputed);
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished()) release(group, sequence);
  }
  if (swapped) {
    group.returned = false;
    group.set_state(GroupState::kSwapped);
  } else {
    start_over(group);
  }
  num_searching_ -= group.num_beams > 0 ? 1 : 0;
  ++group.num_preemptions;
  waiting_.add(std::move(running_.back()));
  running_.pop_back();
}

}  // namespace quire
