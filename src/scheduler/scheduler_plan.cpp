// Scheduler::schedule and schedule_ahead: which rows a step computes.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "scheduler/fetch_ahead.h"
#include "scheduler/group_progress.h"
#include "scheduler/kv_demand.h"
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
    plan_by_age(now_ns);
  }
  CHECK(!plan_.empty() || (running_.empty() && waiting_.empty()),
        "{} running and {} waiting groups are stuck", running_.size(), waiting_.size());
  if (plan_.empty()) return false;
  finish_plan(input);
  return true;
}

bool Scheduler::can_schedule_ahead() const {
  const int32_t num_rows = slots_.num_slots() - slots_.num_free();
  const bool may_admit = !waiting_.empty() && waiting_.front()->num_unfinished() <= slots_.num_free();
  // A decode takes at most one block.
  return !prefills_left_ && !may_admit && num_rows <= options_.max_num_batched_tokens &&
         num_rows <= memory_.num_free_blocks();
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
  finish_plan(input);
  return true;
}

void Scheduler::finish_plan(StepInput& input) {
  input.step_id = step_id_;
  input.ends.swap(ends_);
  plan_.write(memory_);
  InFlight& step = in_flight_[static_cast<size_t>(num_in_flight_++)];
  plan_.take_samples(step.samples, step.scored);
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
      is_decode(*group, sequence) ? ++num_decodes : has_prefill = true;
    }
  }
  return num_decodes + (has_prefill ? 1 : 0) > options_.max_num_batched_tokens;
}

int32_t Scheduler::count_decodes(size_t first) const {
  int32_t count = 0;
  for (size_t i = first; i < running_.size(); ++i) {
    const SequenceGroup& group = *running_[i];
    for (const Sequence& sequence : group.sequences()) {
      count += is_runnable(group, sequence) && is_decode(group, sequence) ? 1 : 0;
    }
  }
  return count;
}

void Scheduler::plan_by_age(int64_t now_ns) {
  const int64_t preemptions_before = num_preemptions_;
  int32_t budget = -1;  // of prefills; -1: not counted yet, since steady decoding never asks
  const auto count_budget = [&](size_t next_group) {
    if (budget < 0)
      budget = options_.max_num_batched_tokens - plan_.num_decodes() - count_decodes(next_group);
  };
  const auto plan_group = [&](size_t i) {
    SequenceGroup& group = *running_[i];
    for (Sequence& sequence : group.sequences()) {
      if (!is_runnable(group, sequence)) continue;
      if (is_decode(group, sequence)) {
        plan_decode(group, sequence);
        continue;
      }
      count_budget(i);
      const int32_t chunk = std::min(budget, prefill_limit(group, sequence));
      if (chunk > 0) budget -= plan_row(group, sequence, chunk);
      prefills_left_ |= num_pending(group, sequence) > 0;
    }
  };
  // Preemption shortens running_ at its end, never before the group at hand.
  for (size_t i = 0; i < running_.size(); ++i) {
    fetch_running(i);
    plan_group(i);
  }
  if (waiting_.empty()) return;
  count_budget(running_.size());
  // Where blocks ran out, a newcomer would only be preempted in its turn.
  int64_t demand = -1;  // blocks that the running groups still need; -1: not counted yet
  while (budget > 0 && num_preemptions_ == preemptions_before && admit(now_ns, demand)) {
    plan_group(running_.size() - 1);
    demand += blocks_to_catch_up(*running_.back(), memory_.block_size());
  }
}

void Scheduler::plan_in_turns() {
  turns_.clear();
  for (const auto& group : running_) {
    for (Sequence& sequence : group->sequences()) {
      if (is_runnable(*group, sequence)) turns_.push_back({group.get(), &sequence});
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
  if (copies.size() > num_copies) copies.back().slot = sequence.slot;

  PlannedRow row{.group = &group,
                 .sequence = &sequence,
                 .first_position = sequence.num_computed,
                 .num_tokens = fit,
                 .prompt_logprobs_from = prompt_logprobs_from(group, sequence.num_computed, fit)};
  sequence.num_computed += fit;
  sequence.last_step = step_id_;
  row.samples = num_pending(group, sequence) == 0;
  row.forks = will_fork(group) && sequence.num_computed == group.num_prompt_tokens();
  if (row.forks) plan_fork(group, sequence);
  plan_.add_prefill(row);
  return fit;
}

void Scheduler::plan_fork(SequenceGroup& group, const Sequence& leader) {
  group.forked = true;
  for (Sequence& child : group.sequences()) {
    if (child.finished() || &child == &leader) continue;
    memory_.fork(leader.slot, child.slot);
    prefills_left_ |= !child.output.empty();  // preempted, it computes its own tokens again
    child.num_computed = leader.num_computed;
    child.last_step = step_id_;
  }
}

}  // namespace quire
