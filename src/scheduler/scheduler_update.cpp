// Scheduler::update: what a step brought.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/fetch_ahead.h"
#include "scheduler/scheduler.h"

namespace quire {

void Scheduler::update(const StepOutput& output, int64_t now_ns, StepEvents& events) {
  events.clear();
  events.now_ns = now_ns;
  CHECK(num_in_flight_ > 0, "no step is under way");
  // First, while every sequence's tokens are those that the step knew.
  cache_filled();
  collect_prompt_logprobs(output, events);
  const InFlight& step = in_flight_[0];
  if (step.num_decodes + step.num_prefill_tokens > 0) {  // else it only waited for what was swapped
    budget_.learn(step.num_decodes, step.num_prefill_tokens,
                  now_ns - std::max(step.started_ns, last_update_ns_));
  }
  last_update_ns_ = now_ns;
  const auto& samples = step.samples;
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
    if (group->num_beams > 0) {
      const auto top = std::span(output.top).subspan(static_cast<size_t>(first_of_sample));
      take_candidates(*group, *sequence, top.first(static_cast<size_t>(sample.num_top)), events);
      continue;
    }
    if (sample.embedding >= 0) {
      group->times.first_token_ns = now_ns;
      sequence->last_token_ns = now_ns;
      events.pooled.push_back({.group = group, .embedding = sample.embedding});
      end(*group, *sequence, FinishReason::kStop);
      continue;
    }
    // No token: its grammar lets none of the vocabulary follow.
    const FinishReason reason = sample.token < 0
                                    ? FinishReason::kDeadEnd
                                    : group->append_token(*sequence, sample.token, options_.max_model_len);
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
    if (reason == FinishReason::kNone) continue;
    if (group->pins()) prefixes_.pin(*group, *sequence);
    end(*group, *sequence, reason);
  }
  if (!output.swapped_in.empty() || !output.swap_failures.empty()) take_swap_reports(output);
  learn_costs(output);
  // The prefix cache may have what somebody needed room for.
  if (step.num_prefill_tokens > 0 && prefixes_.on()) no_room_for_ = kNoRequest;
  std::swap(in_flight_[0], in_flight_[1]);
  --num_in_flight_;
}

void Scheduler::cache_filled() {
  collected_step_ = in_flight_[0].step_id;
  for (const PlannedBlocks& filled : in_flight_[0].filled) {
    const auto [group, sequence] = slots_[filled.slot];
    if (sequence == nullptr || sequence->id != filled.sequence) continue;  // it has ended since
    prefixes_.cache(*group, *sequence, filled.num_tokens);
  }
}

int32_t Scheduler::num_known(const Sequence& sequence) const {
  int32_t known = sequence.num_computed;
  for (const InFlight& step : std::span(in_flight_).first(static_cast<size_t>(num_in_flight_))) {
    if (step.step_id <= collected_step_ || step.step_id > sequence.last_step) continue;
    if (!step.ahead) return 0;  // who knows how long a chunk it computes
    --known;
  }
  return known;
}

void Scheduler::fetch_samples(size_t next) const {
  const auto& samples = in_flight_[0].samples;
  if (next + 2 * kFetchAhead < samples.size()) {
    const auto& [group, sequence] = slots_[samples[next + 2 * kFetchAhead].slot];
    fetch_ahead(group);
    fetch_ahead(sequence);
  }
  if (next + kFetchAhead < samples.size()) {
    const Sequence* sequence = slots_[samples[next + kFetchAhead].slot].sequence;
    if (sequence != nullptr) fetch_ahead(sequence->output.data() + sequence->output.size());
  }
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

}  // namespace quire
