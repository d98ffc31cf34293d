// Scheduler::check: the books of memory, slots, sequences and lists against each other.
#include <algorithm>

#include "memory/block_table.h"
#include "scheduler/scheduler.h"

namespace quire {
namespace {

// What a sequence that neither runs nor waits for its siblings' prefill must look like.
bool holds_nothing(const Sequence& sequence) {
  return sequence.slot == kNoSlot && !sequence.has_row && sequence.num_computed == 0 &&
         sequence.num_blocks_sent == 0 && sequence.num_in_flight == 0;
}

}  // namespace

Expected<> Scheduler::check_running(const SequenceGroup& group) const {
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished()) {
      if (holds_nothing(sequence)) continue;
      return fail(ErrorCode::kInternal, "sequence {} has finished and holds blocks or a slot", sequence.id);
    }
    if (sequence.slot == kNoSlot || slots_[sequence.slot].sequence != &sequence) {
      return fail(ErrorCode::kInternal, "sequence {} runs without a slot of its own", sequence.id);
    }
    const bool has_table = memory_.contains(sequence.slot);
    const int32_t num_tokens = has_table ? memory_.table(sequence.slot).num_tokens : 0;
    if (sequence.num_computed != num_tokens) {
      return fail(ErrorCode::kInternal, "sequence {} has computed {} tokens and has slots for {}",
                  sequence.id, sequence.num_computed, num_tokens);
    }
    if (sequence.num_in_flight != count_in_flight(sequence)) {
      return fail(ErrorCode::kInternal, "sequence {} awaits {} tokens of {} steps", sequence.id,
                  sequence.num_in_flight, count_in_flight(sequence));
    }
    // A beam that has its candidates waits for those of the others.
    const int32_t waits = group.num_beams > 0 ? 1 : 0;
    const int32_t known = group.num_tokens(sequence) + sequence.num_in_flight;
    if (sequence.num_computed >= known + waits) {
      return fail(ErrorCode::kInternal, "sequence {} has nothing left to compute", sequence.id);
    }
    if (sequence.has_row && sequence.num_blocks_sent != blocks_for(num_tokens, memory_.block_size())) {
      return fail(ErrorCode::kInternal, "the worker knows {} blocks of sequence {}, which has {} tokens",
                  sequence.num_blocks_sent, sequence.id, num_tokens);
    }
    if (auto checked = prefixes_.check(group, sequence); !checked) return checked;
    if (sequence.has_row && !group.forked && !group.is_leader(sequence)) {
      return fail(ErrorCode::kInternal, "sequence {} has a row before the fork", sequence.id);
    }
  }
  return {};
}

int32_t Scheduler::count_in_flight(const Sequence& sequence) const {
  int32_t count = 0;
  for (int32_t i = 0; i < num_in_flight_; ++i) {
    for (const PlannedSample& sample : in_flight_[static_cast<size_t>(i)].samples) {
      count += sample.sequence == sequence.id ? 1 : 0;
    }
  }
  return count;
}

Expected<> Scheduler::check_searches() const {
  const auto searches = [](const auto& group) { return group->num_beams > 0; };
  const auto num_running = std::ranges::count_if(running_, searches);
  const auto num_waiting = std::ranges::count_if(waiting_.groups(), searches) +
                           std::ranges::count_if(returning_, searches, &Return::group);
  if (num_running == num_searching_ && num_running + num_waiting == std::ssize(searches_)) return {};
  return fail(ErrorCode::kInternal, "{} beam searches run and {} wait, but {} of {} are counted",
              num_running, num_waiting, num_searching_, searches_.size());
}

Expected<> Scheduler::check_waiting(const SequenceGroup& group) const {
  const bool swapped = group.state() == GroupState::kSwapped;
  if (!swapped && group.state() != GroupState::kWaiting) {
    return fail(ErrorCode::kInternal, "request {} is listed as waiting and is not", group.id());
  }
  for (const Sequence& sequence : group.sequences()) {
    if (!holds_nothing(sequence)) {
      return fail(ErrorCode::kInternal, "request {} waits and holds a slot", group.id());
    }
  }
  return check_swapped(group, swapped);
}

// Before the fork the leader's keys and values are all there are. Beams that live have a token.
Expected<> Scheduler::check_swapped(const SequenceGroup& group, bool swapped) const {
  for (const Sequence& sequence : group.sequences()) {
    const bool holds = group.forked ? group.num_beams == 0 || !sequence.output.empty()
                                    : !sequence.finished() && group.is_leader(sequence);
    const bool expected = swapped && !sequence.finished() && holds;
    if (expected == (memory_.swapped(sequence.id) != nullptr)) continue;
    return fail(ErrorCode::kInternal, "sequence {} {} in the swap space", sequence.id,
                expected ? "has nothing" : "has something");
  }
  return {};
}

Expected<> Scheduler::check_returning(const Return& entry) const {
  const SequenceGroup& group = *entry.group;
  if (group.state() != GroupState::kReturning || entry.pending.empty()) {
    return fail(ErrorCode::kInternal, "request {} is listed as returning and is not", group.id());
  }
  if (auto checked = check_running(group); !checked) return checked;
  for (const SwapSlotId slot : entry.pending) {
    const SwapBooks& books = memory_.swap_books();
    if (books.is_taken(slot) && books.request_of(slot) == group.id()) continue;
    return fail(ErrorCode::kInternal, "request {} waits for swap slot {}, not its own", group.id(), slot);
  }
  return check_swapped(group, true);
}

Expected<> Scheduler::check() const {
  if (auto checked = memory_.check(); !checked) return checked;
  if (auto checked = check_searches(); !checked) return checked;
  if (reservations_) {
    if (auto checked = reservations_->check(); !checked) return checked;
  }
  size_t num_tables = 0;
  int32_t num_slots = 0;
  const auto count = [&](const SequenceGroup& group) {
    for (const Sequence& sequence : group.sequences()) {
      if (sequence.slot == kNoSlot) continue;
      num_tables += memory_.contains(sequence.slot) ? 1 : 0;
      ++num_slots;
    }
  };
  for (const auto& group : running_) {
    if (group->state() != GroupState::kRunning) {
      return fail(ErrorCode::kInternal, "request {} is listed as running and is not", group->id());
    }
    if (auto checked = check_running(*group); !checked) return checked;
    if (auto checked = check_swapped(*group, false); !checked) return checked;
    count(*group);
  }
  for (const Return& entry : returning_) {
    if (auto checked = check_returning(entry); !checked) return checked;
    count(*entry.group);
  }
  if (num_tables != memory_.num_tables()) {
    return fail(ErrorCode::kInternal, "{} block tables, but running sequences have {}",
                memory_.num_tables(), num_tables);
  }
  if (num_slots != slots_.num_slots() - slots_.num_free()) {
    return fail(ErrorCode::kInternal, "{} slots are taken, but running sequences have {}",
                slots_.num_slots() - slots_.num_free(), num_slots);
  }
  for (const auto& group : waiting_.groups()) {
    if (auto checked = check_waiting(*group); !checked) return checked;
  }
  if (by_id_.size() != running_.size() + waiting_.size() + returning_.size()) {
    return fail(ErrorCode::kInternal, "{} requests are known, but {} run, {} wait and {} return",
                by_id_.size(), running_.size(), waiting_.size(), returning_.size());
  }
  return {};
}

}  // namespace quire
