// Groups that leave for the swap space and come back.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "scheduler/scheduler.h"

namespace quire {

int32_t Scheduler::num_swapped() const {
  const auto is_swapped = [](const auto& group) { return group->state() == GroupState::kSwapped; };
  return static_cast<int32_t>(std::ranges::count_if(waiting_.groups(), is_swapped) +
                              std::ssize(returning_));
}

bool Scheduler::swap_out(const SequenceGroup& group) {
  if (options_.preemption_mode == PreemptionMode::kRecompute || memory_.swap_books().num_slots() == 0) {
    return false;
  }
  // What its worker has pooled is lost with the row.
  if (group.params()->pools_from_start()) return false;
  // Beams that have their candidates would have no work to start their rows with.
  if (group.num_beams > 0 && searches_.at(group.id()).has_candidates()) return false;
  for (const Sequence& sequence : group.sequences()) leave_in_cache(group, sequence);
  moves_.clear();
  int64_t num_blocks = 0, num_tokens = 0;
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.slot == kNoSlot || !memory_.contains(sequence.slot) || sequence.num_computed == 0)
      continue;
    moves_.push_back({.slot = sequence.slot, .sequence = sequence.id});
    num_blocks += std::ssize(memory_.table(sequence.slot).blocks);
    num_tokens += sequence.num_computed;
  }
  if (moves_.empty()) return false;  // it had not begun
  if (options_.preemption_mode == PreemptionMode::kAuto && !costs_.prefer_swap(num_blocks, num_tokens)) {
    return false;
  }
  auto& swap_outs = plan_.swap_outs();
  const auto before = std::ssize(swap_outs);
  if (!memory_.swap_out(group.id(), moves_, swap_outs)) return false;
  counts_.num_blocks_out += std::ssize(swap_outs) - before;
  return true;
}

bool Scheduler::start_return(SequenceGroup& group) {
  take_slots(group);
  moves_.clear();
  const int64_t expected_tokens = int64_t{group.num_prompt_tokens()} + group.params()->max_tokens;
  for (const Sequence& sequence : group.sequences()) {
    if (memory_.swapped(sequence.id) == nullptr) continue;
    moves_.push_back({.slot = sequence.slot,
                      .sequence = sequence.id,
                      .tokens = {group.prompt(), sequence.output},
                      .expected_tokens = expected_tokens});
  }
  auto& swap_ins = plan_.swap_ins();
  const auto before = std::ssize(swap_ins);
  if (!memory_.swap_in(group.prefix_scope, moves_, swap_ins)) {
    for (Sequence& sequence : group.sequences()) {
      if (!sequence.finished()) slots_.give_back(sequence);
    }
    return false;
  }
  for (Sequence& sequence : group.sequences()) {
    if (sequence.slot == kNoSlot || !memory_.contains(sequence.slot)) continue;
    sequence.num_computed = memory_.table(sequence.slot).num_tokens;
  }
  group.set_state(GroupState::kReturning);
  Return& entry = returning_.emplace_back();
  entry.group = waiting_.take(group);
  for (auto i = before; i < std::ssize(swap_ins); ++i) {
    entry.pending.push_back(swap_ins[static_cast<size_t>(i)].swap_slot);
  }
  counts_.num_blocks_in += std::ssize(entry.pending);
  if (entry.pending.empty()) end_return(returning_.size() - 1);  // all of it was still cached
  return true;
}

void Scheduler::take_swap_reports(const StepOutput& output) {
  const SwapBooks& books = memory_.swap_books();
  for (const SwapSlotId slot : output.swap_failures) {
    costs_.swap_failed();
    // Of a slot that was given back meanwhile nobody needs to know.
    SequenceGroup* group = books.is_taken(slot) ? find(books.request_of(slot)) : nullptr;
    if (group != nullptr) recompute_swapped(*group);
  }
  for (const SwapSlotId slot : output.swapped_in) {
    const auto waits = [&](const Return& entry) {
      return std::ranges::find(entry.pending, slot) != entry.pending.end();
    };
    const auto found = std::ranges::find_if(returning_, waits);
    if (found == returning_.end()) continue;  // cancelled
    std::erase(found->pending, slot);
    if (found->pending.empty()) end_return(static_cast<size_t>(found - returning_.begin()));
  }
}

void Scheduler::end_return(size_t index) {
  std::unique_ptr<SequenceGroup> group = std::move(returning_[index].group);
  returning_.erase(returning_.begin() + static_cast<std::ptrdiff_t>(index));
  for (const Sequence& sequence : group->sequences()) memory_.drop_swapped(sequence.id);
  group->set_state(GroupState::kRunning);
  group->returned = group->forked;
  start_running(std::move(group));
  prefills_left_ = true;  // its rows start with work of their own, in a step that is not planned ahead
}

void Scheduler::recompute_swapped(SequenceGroup& group) {
  ++counts_.num_swaps_lost;
  if (group.state() == GroupState::kReturning) {
    const auto is_group = [&](const Return& entry) { return entry.group.get() == &group; };
    cancel_return(static_cast<size_t>(std::ranges::find_if(returning_, is_group) - returning_.begin()));
    return;
  }
  for (const Sequence& sequence : group.sequences()) memory_.drop_swapped(sequence.id);
  start_over(group);
  no_room_for_ = kNoRequest;
}

void Scheduler::start_over(SequenceGroup& group) {
  group.forked = group.returned = false;
  if (group.num_beams > 0) searches_.at(group.id()).restart(group);
  group.set_state(GroupState::kWaiting);
}

void Scheduler::cancel_return(size_t index) {
  Return entry = std::move(returning_[index]);
  returning_.erase(returning_.begin() + static_cast<std::ptrdiff_t>(index));
  swap_cancels_.insert(swap_cancels_.end(), entry.pending.begin(), entry.pending.end());
  for (Sequence& sequence : entry.group->sequences()) {
    if (sequence.finished()) continue;
    release(*entry.group, sequence);
    memory_.drop_swapped(sequence.id);
  }
  start_over(*entry.group);
  waiting_.add(std::move(entry.group));
}

void Scheduler::settle_swapped(SequenceGroup& group) {
  const bool finished = group.state() == GroupState::kFinished;
  // One that had not forked yet may have lost the sequence that computed for all.
  const auto holds = [&](const Sequence& sequence) { return memory_.swapped(sequence.id) != nullptr; };
  const bool holds_any = std::ranges::any_of(group.sequences(), holds);
  const bool ends = finished || group.num_beams > 0;  // beams end together
  if (group.state() == GroupState::kSwapped && !holds_any && !ends) start_over(group);
  const auto is_group = [&](const Return& entry) { return entry.group.get() == &group; };
  const auto found = std::ranges::find_if(returning_, is_group);
  if (found == returning_.end()) return;
  const SwapBooks& books = memory_.swap_books();
  std::erase_if(found->pending, [&](SwapSlotId slot) {
    if (books.is_taken(slot)) return false;
    swap_cancels_.push_back(slot);  // only the sequence that ended waited for it
    return true;
  });
  if (ends) return;
  const auto index = static_cast<size_t>(found - returning_.begin());
  if (!holds_any) {
    cancel_return(index);
  } else if (found->pending.empty()) {
    end_return(index);
  }
}

void Scheduler::forget_swapped() {
  while (!returning_.empty()) recompute_swapped(*returning_.back().group);
  swap_cancels_.clear();
  for (const auto& group : waiting_.groups()) {
    if (group->state() == GroupState::kSwapped) recompute_swapped(*group);
  }
}

void Scheduler::learn_costs(const StepOutput& output) {
  const InFlight& step = in_flight_[0];
  costs_.swapped_out(step.num_swap_outs, output.swap_times.out_ns);
  costs_.swapped_in(std::ssize(output.swapped_in), output.swap_times.in_ns);
  if (step.num_prefill_tokens > step.num_decodes) {
    costs_.prefilled(int64_t{step.num_prefill_tokens} + step.num_decodes, output.compute_ns);
  }
}

}  // namespace quire
