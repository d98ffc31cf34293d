#include "scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "scheduler/kv_demand.h"

namespace quire {
namespace {

// Has a row, or is about to get one for the prefill that its group shares.
bool is_runnable(const SequenceGroup& group, const Sequence& sequence) {
  if (sequence.finished()) return false;
  return sequence.has_row || (!group.forked && group.is_leader(sequence));
}

int32_t num_pending(const SequenceGroup& group, const Sequence& sequence) {
  return group.num_tokens(sequence) - sequence.num_computed;
}

// Only its last sampled token is missing from the cache.
bool is_decode(const SequenceGroup& group, const Sequence& sequence) {
  return !sequence.output.empty() && num_pending(group, sequence) == 1;
}

bool will_fork(const SequenceGroup& group) { return !group.forked && group.num_unfinished() > 1; }

// A prefill that is to fork stops where the sequences part.
int32_t prefill_limit(const SequenceGroup& group, const Sequence& sequence) {
  return will_fork(group) ? group.num_prompt_tokens() - sequence.num_computed
                          : num_pending(group, sequence);
}

// First position of the chunk [first, first + num_tokens) whose logits are to score the prompt's next
// token, or -1.
int32_t prompt_logprobs_from(const SequenceGroup& group, int32_t first, int32_t num_tokens) {
  if (!group.params()->prompt_logprobs) return -1;
  const int32_t from = std::max(first, group.next_prompt_logprob - 1);
  const int32_t end = std::min(first + num_tokens, group.num_prompt_tokens() - 1);
  return from < end ? from : -1;
}

// The state of many sequences lies far apart and is visited once a step: fetched early, it is there in
// time.
constexpr size_t kFetchAhead = 4;

void prefetch(const void* object) { __builtin_prefetch(object); }

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, KvCacheManager& memory)
    : options_(options), memory_(memory), slots_(options.max_num_seqs), plan_(options.max_num_seqs) {
  for (InFlight& step : in_flight_) step.samples.reserve(static_cast<size_t>(options.max_num_seqs));
  ends_.reserve(static_cast<size_t>(options.max_num_seqs));
  CHECK(options.max_num_seqs >= 1 && options.max_num_batched_tokens >= 1 && options.max_model_len >= 1);
}

Expected<> Scheduler::check_fits(const SchedulerOptions& options, int32_t num_blocks, int32_t block_size,
                                 int64_t num_prompt_tokens, int64_t max_tokens, int32_t n) {
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
    return fail_param("n", "n is {}, but at most {} sequences run at once (max_num_seqs)", n,
                      options.max_num_seqs);
  }
  const int64_t needed = peak_blocks(num_prompt_tokens, max_tokens, n, block_size);
  if (needed > num_blocks) {
    return fail_param(
        n > 1 ? "n" : "max_tokens",
        "the prompt has {} tokens, max_tokens is {} and n is {}: that can need {} blocks of {} tokens, "
        "but the KV cache has {}",
        num_prompt_tokens, max_tokens, n, needed, block_size, num_blocks);
  }
  return {};
}

void Scheduler::add(std::unique_ptr<SequenceGroup> group) {
  const bool added = by_id_.try_emplace(group->id(), group.get()).second;
  CHECK(added, "request {} was added already", group->id());
  waiting_.push_back(std::move(group));
}

SequenceGroup* Scheduler::find(RequestId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Scheduler::fetch_running(size_t next) const {
  if (next + 3 * kFetchAhead < running_.size()) prefetch(running_[next + 3 * kFetchAhead].get());
  if (next + 2 * kFetchAhead < running_.size()) {
    prefetch(running_[next + 2 * kFetchAhead]->sequences().data());
  }
  if (next + kFetchAhead < running_.size()) {
    const SlotId slot = running_[next + kFetchAhead]->sequences().front().slot;
    if (slot != kNoSlot && memory_.contains(slot)) prefetch(&memory_.table(slot));
  }
}

void Scheduler::fetch_samples(size_t next) const {
  const auto& samples = in_flight_[0].samples;
  if (next + 2 * kFetchAhead < samples.size()) {
    const auto& [group, sequence] = slots_[samples[next + 2 * kFetchAhead].slot];
    prefetch(group);
    prefetch(sequence);
  }
  if (next + kFetchAhead < samples.size()) {
    const Sequence* sequence = slots_[samples[next + kFetchAhead].slot].sequence;
    if (sequence != nullptr) prefetch(sequence->output.data() + sequence->output.size());
  }
}

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

void Scheduler::update(const StepOutput& output, int64_t now_ns, StepEvents& events) {
  events.clear();
  events.now_ns = now_ns;
  CHECK(num_in_flight_ > 0, "no step is under way");
  collect_prompt_logprobs(output, events);
  const auto& samples = in_flight_[0].samples;
  CHECK(output.samples.size() == samples.size(), "{} samples instead of {}", output.samples.size(),
        samples.size());
  int32_t first_top = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    fetch_samples(i);
    const SampledToken& sample = output.samples[i];
    CHECK(sample.slot == samples[i].slot, "a sample of slot {} instead of {}", sample.slot,
          samples[i].slot);
    const int32_t first_of_sample = std::exchange(first_top, first_top + sample.num_top);
    const auto [group, sequence] = slots_[sample.slot];
    if (sequence == nullptr || sequence->id != samples[i].sequence) continue;  // it has ended since
    --sequence->num_in_flight;
    const FinishReason reason = group->append_token(*sequence, sample.token, options_.max_model_len);
    // Field by field: a copy of a whole Token would wait for the stores before it.
    StepEvents::Token& event = events.tokens.emplace_back();
    event.group = group;
    event.sequence = sequence;
    event.sample = static_cast<int32_t>(i);
    event.first_top = first_of_sample;
    event.previous_ns = std::exchange(sequence->last_token_ns, now_ns);
    event.finish_reason = reason;
    if (event.previous_ns == kNotYet && group->times.first_token_ns == kNotYet) {
      event.first_of_group = true;
      group->times.first_token_ns = now_ns;
    }
    if (reason != FinishReason::kNone) end(*group, *sequence, reason);
  }
  std::swap(in_flight_[0], in_flight_[1]);
  --num_in_flight_;
}

void Scheduler::collect_prompt_logprobs(const StepOutput& output, StepEvents& events) {
  const auto& all = output.prompt_logprobs;
  const auto& scored = in_flight_[0].scored;
  size_t row = 0;
  int32_t first_top = 0;
  for (size_t first = 0, last = 0; first < all.size(); first = last) {
    int32_t num_top = 0;
    for (; last < all.size() && all[last].slot == all[first].slot; ++last) num_top += all[last].num_top;
    CHECK(row < scored.size() && scored[row].slot == all[first].slot);
    const SequenceId scored_sequence = scored[row++].sequence;
    const int32_t first_of_row = std::exchange(first_top, first_top + num_top);
    const auto [group, sequence] = slots_[all[first].slot];
    if (sequence == nullptr || sequence->id != scored_sequence) continue;  // it has ended since
    CHECK(all[first].position == group->next_prompt_logprob);
    group->next_prompt_logprob = all[last - 1].position + 1;
    events.prompt_logprobs.push_back({.group = group,
                                      .first = static_cast<int32_t>(first),
                                      .count = static_cast<int32_t>(last - first),
                                      .first_top = first_of_row});
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

bool Scheduler::admit(int64_t now_ns, int64_t& demand) {
  if (waiting_.empty()) return false;
  SequenceGroup& group = *waiting_.front();
  if (group.num_unfinished() > slots_.num_free()) return false;
  if (demand < 0) {
    demand = 0;
    for (const auto& other : running_) demand += blocks_to_catch_up(*other, memory_.block_size());
  }
  const int64_t needed = demand + blocks_to_enter(group, memory_.block_size());
  if (!running_.empty() && needed > memory_.num_free_blocks())
    return false;  // who is alone fits: check_fits
  for (Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    slots_.take(group, sequence);
    sequence.output.reserve(static_cast<size_t>(group.params()->max_tokens));  // check_fits bounds it
  }
  group.set_state(GroupState::kRunning);
  if (group.times.first_scheduled_ns == kNotYet) {
    group.times.first_scheduled_ns = now_ns;
    ++num_admitted_;
  }
  running_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
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
    if (!sequence.finished()) release(sequence);
  }
  group.forked = false;
  group.set_state(GroupState::kWaiting);
  ++group.num_preemptions;
  ++num_preemptions_;
  waiting_.push_front(std::move(running_.back()));
  running_.pop_back();
}

void Scheduler::release(Sequence& sequence) {
  if (sequence.slot != kNoSlot && memory_.contains(sequence.slot)) memory_.free(sequence.slot);
  if (sequence.has_row) ends_.push_back(sequence.slot);
  if (sequence.slot != kNoSlot) slots_.give_back(sequence);
  sequence.has_row = false;
  sequence.num_in_flight = 0;
  sequence.num_computed = 0;
  sequence.num_blocks_sent = 0;
}

void Scheduler::end(SequenceGroup& group, Sequence& sequence, FinishReason reason) {
  release(sequence);
  group.finish(sequence, reason);
  group.times.last_token_ns = std::max(group.times.last_token_ns, sequence.last_token_ns);
  if (group.state() == GroupState::kFinished) retire(group);
}

void Scheduler::retire(SequenceGroup& group) {
  by_id_.erase(group.id());
  const auto is_group = [&](const auto& other) { return other.get() == &group; };
  if (const auto found = std::ranges::find_if(running_, is_group); found != running_.end()) {
    ended_.push_back(std::move(*found));
    running_.erase(found);
    return;
  }
  const auto found = std::ranges::find_if(waiting_, is_group);
  CHECK(found != waiting_.end());
  ended_.push_back(std::move(*found));
  waiting_.erase(found);
}

void Scheduler::forget_rows() {
  ends_.clear();
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
