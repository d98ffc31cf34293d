// Scheduler::schedule and schedule_ahead: which rows a step computes.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/fetch_ahead.h"
#include "scheduler/group_progress.h"
#include "scheduler/prefill_shares.h"
#include "scheduler/scheduler.h"

namespace quire {
namespace {

// First position of the chunk [first, first + num_tokens) whose logits are to score the prompt's next
// token, or -1.
int32_t prompt_logprobs_from(const SequenceGroup& group, int32_t first, int32_t num_tokens) {
  if (!group.params()->prompt_logprobs) return -1;
  const int32_t from = std::max(first, group.next_prompt_logprob - 1);
  const int32_t end = std::min(first + num_tokens, group.num_prompt_tokens() - 1);
  return from < end ? from : -1;
}

}  // namespace

bool Scheduler::schedule(int64_t now_ns, StepInput& input) {
  CHECK(num_in_flight_ == 0, "a step is under way");
  plan_.begin(input);
  ++step_id_;
  prefills_left_ = must_take_turns();
  if (prefills_left_) {
    plan_in_turns();
  } else {
    plan_all(now_ns);
  }
  CHECK(!plan_.empty() || !returning_.empty() || (running_.empty() && waiting_.empty()),
        "{} running and {} waiting groups are stuck", running_.size(), waiting_.size());
  if (plan_.empty() && returning_.empty()) return false;
  finish_plan(now_ns, input);
  return true;
}

bool Scheduler::can_schedule_ahead() const {
  const int32_t num_rows = slots_.num_slots() - slots_.num_free();
  const SequenceGroup* next = waiting_.next(shares_);
  const bool may_admit =
      next != nullptr && ((next->id() != no_room_for_ && next->num_unfinished() <= slots_.num_free()) ||
                          (may_make_way() && waiting_.goes_before(*next, *running_.back())));
  // A decode takes at most one block.
  return num_searching_ == 0 && !prefills_left_ && !may_admit &&
         num_rows <= options_.max_num_batched_tokens && num_rows <= memory_.num_free_blocks();
}

bool Scheduler::schedule_ahead(StepInput& input) {
  CHECK(num_in_flight_ == 1, "{} steps are under way", num_in_flight_);
  if (!can_schedule_ahead()) return false;
  plan_.begin(input);
  ++step_id_;
  for (size_t i = 0; i < running_.size(); ++i) {
    fetch_running(i);
    SequenceGroup& group = *running_[i];
    for (Sequence& sequence : group.sequences()) {
      if (sequence.finished() || !group.wants_more(sequence, options_.max_model_len)) continue;
      CHECK(sequence.has_row && num_pending(group, sequence) + sequence.num_in_flight == 1,
            "sequence {} does not decode", sequence.id);
      plan_decode(group, sequence);
    }
  }
  if (plan_.empty()) return false;
  finish_plan(0, input);
  return true;
}

void Scheduler::finish_plan(int64_t now_ns, StepInput& input) {
  input.step_id = step_id_;
  input.ends.swap(ends_);
  input.branches.swap(branches_);
  input.tokens.swap(grown_);
  input.swap_cancels.swap(swap_cancels_);
  InFlight& step = in_flight_[static_cast<size_t>(num_in_flight_++)];
  step.num_decodes = plan_.num_decodes();
  step.num_prefill_tokens = std::exchange(num_prefill_tokens_, 0);
  step.started_ns = now_ns;
  step.num_swap_outs = std::ssize(input.swap_outs);
  prefixes_.take_edits(input.edits);
  plan_.write(memory_);
  plan_.take_samples(step.samples, step.scored);
  plan_.take_filled(step.filled);
  step.step_id = step_id_;
  step.ahead = num_in_flight_ > 1;
}

void Scheduler::fetch_running(size_t next) const {
  if (next + 3 * kFetchAhead < running_.size()) fetch_ahead(running_[next + 3 * kFetchAhead].get());
  if (next + 2 * kFetchAhead < running_.size()) {
    fetch_ahead(running_[next + 2 * kFetchAhead]->sequences().data());
  }
  if (next + kFetchAhead < running_.size()) {
    const SlotId slot = running_[next + kFetchAhead]->sequences().front().slot;
    if (slot != kNoSlot && memory_.contains(slot)) fetch_ahead(&memory_.table(slot));
  }
}

bool Scheduler::must_take_turns() const {
  const int32_t num_taken = slots_.num_slots() - slots_.num_free();
  if (num_taken <= options_.max_num_batched_tokens) return false;
  int32_t num_decodes = 0;
  bool has_prefill = false;
  for (const auto& group : running_) {
    for (const Sequence& sequence : group->sequences()) {
      if (!is_runnable(*group, sequence)) continue;
      is_decode(*group, sequence) ? ++num_decodes : has_prefill |= num_pending(*group, sequence) > 0;
    }
  }
  return num_decodes + (has_prefill ? 1 : 0) > options_.max_num_batched_tokens;
}

void Scheduler::plan_all(int64_t now_ns) {
  prefills_.clear();
  if (may_make_way()) make_way();
  const int64_t preemptions_before = num_preemptions();
  // Preemption shortens running_ at its end, never before the group at hand.
  for (size_t i = 0; i < running_.size(); ++i) {
    fetch_running(i);
    plan_group(*running_[i]);
  }
  // Where blocks ran out, a newcomer would only be preempted in its turn.
  if (num_preemptions() == preemptions_before) admit_newcomers(now_ns);
  if (!prefills_.empty()) plan_prefills();
}

void Scheduler::plan_group(SequenceGroup& group) {
  for (Sequence& sequence : group.sequences()) {
    if (!is_runnable(group, sequence)) continue;
    if (is_decode(group, sequence)) {
      plan_decode(group, sequence);
    } else if (num_pending(group, sequence) > 0) {
      prefills_.push_back({&group, &sequence});
    }
  }
}

int64_t Scheduler::count_wanted() const {
  int64_t wanted = 0;
  for (const auto& [group, sequence] : prefills_) wanted += prefill_limit(*group, *sequence);
  return wanted;
}

void Scheduler::plan_prefills() {
  prefill_wants_.clear();
  for (const auto& [group, sequence] : prefills_) {
    // It may have been preempted for one before it.
    const bool runs = group->state() == GroupState::kRunning;
    prefill_wants_.push_back(runs ? prefill_limit(*group, *sequence) : 0);
  }
  share_prefills(prefill_wants_, budget_.prefill_tokens(plan_.num_decodes()), prefill_shares_);
  for (size_t i = 0; i < prefills_.size(); ++i) {
    const auto& [group, sequence] = prefills_[i];
    if (group->state() != GroupState::kRunning) continue;
    if (prefill_shares_[i] > 0) plan_row(*group, *sequence, prefill_shares_[i]);
    prefills_left_ |= num_pending(*group, *sequence) > 0;
  }
}

void Scheduler::plan_in_turns() {
  turns_.clear();
  for (const auto& group : running_) {
    for (Sequence& sequence : group->sequences()) {
      if (!is_runnable(*group, sequence) || num_pending(*group, sequence) == 0) continue;
      turns_.push_back({group.get(), &sequence});
    }
  }
  std::sort(turns_.begin(), turns_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.sequence->last_step, a.sequence->id) <
           std::pair(b.sequence->last_step, b.sequence->id);
  });
  int32_t budget = options_.max_num_batched_tokens;
  for (const auto& [group, sequence] : turns_) {
    if (budget == 0) break;
    if (group->state() != GroupState::kRunning) continue;  // preempted for one of those before it
    budget -=
        is_decode(*group, *sequence) ? plan_decode(*group, *sequence) : plan_row(*group, *sequence, 1);
  }
}

int32_t Scheduler::plan_decode(SequenceGroup& group, Sequence& sequence) {
  auto& copies = plan_.copies();
  const size_t num_copies = copies.size();
  while (!memory_.append(sequence.slot, 1, copies)) {
    if (!preempt_newer_than(group)) return 0;
  }
  if (copies.size() > num_copies) copies.back().slot = sequence.slot;
  ++sequence.num_computed;
  sequence.last_step = step_id_;
  plan_.add_decode(sequence, memory_.table(sequence.slot));
  return 1;
}

int32_t Scheduler::plan_row(SequenceGroup& group, Sequence& sequence, int32_t num_tokens) {
  if (!memory_.contains(sequence.slot)) {
    memory_.add(sequence.slot, int64_t{group.num_prompt_tokens()} + group.params()->max_tokens);
  }
  int32_t fit = memory_.tokens_that_fit(sequence.slot, num_tokens);
  while (fit == 0) {
    if (!preempt_newer_than(group)) return 0;
    fit = memory_.tokens_that_fit(sequence.slot, num_tokens);
  }
  auto& copies = plan_.copies();
  const size_t num_copies = copies.size();
  const bool appended = memory_.append(sequence.slot, fit, copies);
  CHECK(appended);
  if (copies.size() > num_copies && sequence.has_row) copies.back().slot = sequence.slot;

  PlannedRow row{.group = &group,
                 .sequence = &sequence,
                 .first_position = sequence.num_computed,
                 .num_tokens = fit,
                 .prompt_logprobs_from = prompt_logprobs_from(group, sequence.num_computed, fit)};
  sequence.num_computed += fit;
  num_prefill_tokens_ += fit;
  sequence.last_step = step_id_;
  row.samples = num_pending(group, sequence) == 0;
  row.forks = will_fork(group) && sequence.num_computed == group.num_prompt_tokens();
  if (row.forks) plan_fork(group, sequence);
  plan_.add_prefill(row);
  return fit;
}

void Scheduler::plan_fork(SequenceGroup& group, const Sequence& leader) {
  group.forked = true;
  for (Sequence& child : group.entrants()) {
    if (child.finished() || &child == &leader) continue;
    memory_.fork(leader.slot, child.slot);
    prefills_left_ |= !child.output.empty();  // preempted, it computes its own tokens again
    child.num_computed = leader.num_computed;
    child.last_step = step_id_;
  }
}

}  // namespace quire
