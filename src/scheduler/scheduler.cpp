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

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, KvCacheManager& memory)
    : options_(options), memory_(memory), slots_(options.max_num_seqs) {
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

bool Scheduler::schedule(int64_t now_ns, StepInput& input) {
  input.clear();
  plan_.clear();
  ++step_id_;
  int32_t num_decodes = 0;
  bool has_prefill = false;
  for (const auto& group : running_) {
    for (const Sequence& sequence : group->sequences()) {
      if (!is_runnable(*group, sequence)) continue;
      if (is_decode(*group, sequence)) {
        ++num_decodes;
      } else {
        has_prefill = true;
      }
    }
  }
  if (num_decodes + (has_prefill ? 1 : 0) > options_.max_num_batched_tokens) {
    plan_in_turns();
  } else {
    plan_by_age(num_decodes, now_ns);
  }
  CHECK(!plan_.empty() || (running_.empty() && waiting_.empty()),
        "{} running and {} waiting groups are stuck", running_.size(), waiting_.size());
  if (plan_.empty()) return false;

  input.step_id = step_id_;
  input.ends.swap(ends_);
  plan_.write(memory_, input);
  sampled_slots_.clear();
  for (const SampleWork& sample : input.samples) sampled_slots_.push_back(sample.slot);
  return true;
}

void Scheduler::update(const StepOutput& output, int64_t now_ns, StepEvents& events) {
  events.clear();
  collect_prompt_logprobs(output, events);
  CHECK(output.samples.size() == sampled_slots_.size(), "{} samples instead of {}", output.samples.size(),
        sampled_slots_.size());
  int32_t first_top = 0;
  for (size_t i = 0; i < sampled_slots_.size(); ++i) {
    const SampledToken& sample = output.samples[i];
    CHECK(sample.slot == sampled_slots_[i], "a sample of slot {} instead of {}", sample.slot,
          sampled_slots_[i]);
    const auto [group, sequence] = slots_[sample.slot];
    CHECK(group != nullptr, "a sample of slot {}, which is free", sample.slot);
    const FinishReason reason = group->append_token(*sequence, sample.token, options_.max_model_len);
    GroupTimes& times = group->times;
    events.tokens.push_back({.group = group,
                             .sequence = sequence,
                             .sample = static_cast<int32_t>(i),
                             .first_top = first_top,
                             .first_of_group = times.first_token_ns == kNotYet,
                             .now_ns = now_ns,
                             .previous_ns = std::exchange(sequence->last_token_ns, now_ns),
                             .finish_reason = reason});
    if (times.first_token_ns == kNotYet) times.first_token_ns = now_ns;
    times.last_token_ns = now_ns;
    first_top += sample.num_top;
    if (reason != FinishReason::kNone) end(*group, *sequence, reason);
  }
}

void Scheduler::collect_prompt_logprobs(const StepOutput& output, StepEvents& events) {
  const auto& all = output.prompt_logprobs;
  int32_t first_top = 0;
  for (size_t first = 0, last = 0; first < all.size(); first = last) {
    int32_t num_top = 0;
    for (; last < all.size() && all[last].slot == all[first].slot; ++last) num_top += all[last].num_top;
    SequenceGroup* group = slots_[all[first].slot].group;
    CHECK(group != nullptr && all[first].position == group->next_prompt_logprob);
    group->next_prompt_logprob = all[last - 1].position + 1;
    events.prompt_logprobs.push_back({.group = group,
                                      .first = static_cast<int32_t>(first),
                                      .count = static_cast<int32_t>(last - first),
                                      .first_top = first_top});
    first_top += num_top;
  }
}

void Scheduler::plan_by_age(int32_t num_decodes, int64_t now_ns) {
  const int64_t preemptions_before = num_preemptions_;
  int32_t budget = options_.max_num_batched_tokens - num_decodes;  // of prefills
  const auto plan_group = [&](SequenceGroup& group) {
    for (Sequence& sequence : group.sequences()) {
      if (!is_runnable(group, sequence)) continue;
      if (is_decode(group, sequence)) {
        plan_row(group, sequence, 1);
      } else if (const int32_t chunk = std::min(budget, prefill_limit(group, sequence)); chunk > 0) {
        budget -= plan_row(group, sequence, chunk);
      }
    }
  };
  // Preemption shortens running_ at its end, never before the group at hand.
  for (size_t i = 0; i < running_.size(); ++i) plan_group(*running_[i]);
  // Where blocks ran out, a newcomer would only be preempted in its turn.
  while (budget > 0 && num_preemptions_ == preemptions_before && admit(now_ns))
    plan_group(*running_.back());
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
    if (group->state() == GroupState::kRunning) budget -= plan_row(*group, *sequence, 1);
  }
}

int32_t Scheduler::plan_row(SequenceGroup& group, Sequence& sequence, int32_t num_tokens) {
  if (!memory_.contains(sequence.id)) memory_.add(sequence.id);
  int32_t fit = memory_.tokens_that_fit(sequence.id, num_tokens);
  while (fit == 0) {
    if (!preempt_newer_than(group)) return 0;
    fit = memory_.tokens_that_fit(sequence.id, num_tokens);
  }
  auto& copies = plan_.copies();
  const size_t num_copies = copies.size();
  const bool appended = memory_.append(sequence.id, fit, copies);
  CHECK(appended);
  for (size_t i = num_copies; i < copies.size(); ++i) copies[i].slot = sequence.slot;

  PlannedRow row{.group = &group,
                 .sequence = &sequence,
                 .first_position = sequence.num_computed,
                 .num_tokens = fit,
                 .prompt_logprobs_from = prompt_logprobs_from(group, sequence.num_computed, fit)};
  const bool decodes = is_decode(group, sequence);
  sequence.num_computed += fit;
  sequence.last_step = group.last_step = step_id_;
  row.samples = num_pending(group, sequence) == 0;
  row.forks = will_fork(group) && sequence.num_computed == group.num_prompt_tokens();
  if (row.forks) plan_fork(group, sequence);
  decodes ? plan_.add_decode(row) : plan_.add_prefill(row);
  return fit;
}

void Scheduler::plan_fork(SequenceGroup& group, const Sequence& leader) {
  group.forked = true;
  for (Sequence& child : group.sequences()) {
    if (child.finished() || &child == &leader) continue;
    memory_.fork(leader.id, child.id);
    child.num_computed = leader.num_computed;
    child.last_step = step_id_;
  }
}

bool Scheduler::admit(int64_t now_ns) {
  if (waiting_.empty()) return false;
  SequenceGroup& group = *waiting_.front();
  if (group.num_unfinished() > slots_.num_free()) return false;
  if (!running_.empty()) {  // whoever is alone fits: check_fits
    int64_t demand = blocks_to_enter(group, memory_.block_size());
    for (const auto& other : running_) demand += blocks_to_catch_up(*other, memory_.block_size());
    if (demand > memory_.num_free_blocks()) return false;
  }
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished()) slots_.take(group, sequence);
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
  if (&newest == &group || newest.last_step == step_id_) return false;
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
  if (memory_.contains(sequence.id)) memory_.free(sequence.id);
  if (sequence.has_row) ends_.push_back(sequence.slot);
  if (sequence.slot != kNoSlot) slots_.give_back(sequence);
  sequence.has_row = false;
  sequence.num_computed = 0;
  sequence.num_blocks_sent = 0;
}

void Scheduler::end(SequenceGroup& group, Sequence& sequence, FinishReason reason) {
  release(sequence);
  group.finish(sequence, reason);
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
  for (const auto& group : running_) {
    for (Sequence& sequence : group->sequences()) sequence.has_row = false;
  }
}

void Scheduler::take_ended(std::vector<std::unique_ptr<SequenceGroup>>& out) {
  for (auto& group : ended_) out.push_back(std::move(group));
  ended_.clear();
}

}  // namespace quire
