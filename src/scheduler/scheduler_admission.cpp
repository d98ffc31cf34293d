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
  int64_t demand = -1;  // blocks that the running groups still need; -1: not counted yet
  for (int64_t wanted = count_wanted(); budget > 0;) {
    // Beside one long prompt there is a share for short ones: somebody must be there to take it.
    const int64_t first =
        prefills_.empty() ? 0 : prefill_limit(*prefills_[0].group, *prefills_[0].sequence);
    if (wanted >= budget && wanted - first >= budget / 4) return;
    SequenceGroup* group = admit(now_ns, demand);
    if (group == nullptr) return;
    const size_t first_new = prefills_.size();
    plan_group(*group);
    for (size_t i = first_new; i < prefills_.size(); ++i)
      wanted += prefill_limit(*group, *prefills_[i].sequence);
    demand += blocks_to_catch_up(*group, memory_.block_size());
  }
}

SequenceGroup* Scheduler::admit(int64_t now_ns, int64_t& demand) {
  SequenceGroup* next = waiting_.next(shares_);
  if (next == nullptr || next->num_unfinished() > slots_.num_free()) return nullptr;
  SequenceGroup& group = *next;
  if (reservations_ ? !reserve(group) : !has_room(group, demand)) return nullptr;
  for (Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    slots_.take(group, sequence);
    sequence.output.reserve(static_cast<size_t>(group.params()->max_tokens));  // check_fits bounds it
    if (group.is_leader(sequence)) prefixes_.adopt(group, sequence);
  }
  group.set_state(GroupState::kRunning);
  if (group.times.first_scheduled_ns == kNotYet) {
    group.times.first_scheduled_ns = now_ns;
    ++num_admitted_;
    shares_.settle(group);  // its prompt counts for who is next
  }
  num_searching_ += group.num_beams > 0 ? 1 : 0;
  auto place = running_.end();
  if (options_.policy == SchedulingPolicy::kPriority) {
    place = std::ranges::upper_bound(
        running_, group, [this](const auto& a, const auto& b) { return waiting_.goes_before(a, b); },
        [](const auto& other) -> const SequenceGroup& { return *other; });
  }
  running_.insert(place, waiting_.take(group));
  return &group;
}

bool Scheduler::has_room(const SequenceGroup& group, int64_t& demand) {
  if (demand < 0) {
    demand = 0;
    for (const auto& other : running_) demand += blocks_to_catch_up(*other, memory_.block_size());
  }
  if (running_.empty()) {
    prefixes_.match(group);
    return true;  // who is alone fits: check_fits
  }
  const int64_t needed = demand + blocks_to_enter(group, memory_.block_size());
  const int64_t num_free = memory_.num_free_blocks();
  // A look-up that could not help is saved.
  const int64_t most_found = prefixes_.on() ? group.num_tokens(group.leader()) / memory_.block_size() : 0;
  if (needed - most_found > num_free) return false;
  // What is found need not be taken, but is no longer free.
  const PrefixMatch& match = prefixes_.match(group);
  return needed - std::ssize(match.blocks) <= num_free - match.num_idle;
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

bool Scheduler::preempt_newer_than(const SequenceGroup& group) {
  SequenceGroup& newest = *running_.back();
  const auto has_work = [this](const Sequence& sequence) { return sequence.last_step == step_id_; };
  if (&newest == &group || std::ranges::any_of(newest.sequences(), has_work)) return false;
  preempt(newest);
  return true;
}

void Scheduler::preempt(SequenceGroup& group) {
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished()) release(group, sequence);
  }
  group.forked = false;
  if (group.num_beams > 0) {
    searches_.at(group.id()).restart(group);
    --num_searching_;
  }
  group.set_state(GroupState::kWaiting);
  ++group.num_preemptions;
  ++num_preemptions_;
  waiting_.add(std::move(running_.back()));
  running_.pop_back();
}

}  // namespace quire
