#include "engine/engine_loop.h"

#include <utility>

#include "base/log.h"
#include "base/rng.h"

namespace quire {
namespace {

SchedulerOptions scheduler_options(const LLMEngineOptions& options) {
  return {.max_num_seqs = options.max_num_seqs,
          .max_num_batched_tokens = options.max_num_batched_tokens,
          .max_model_len = options.max_model_len,
          .policy = options.by_priority ? SchedulingPolicy::kPriority : SchedulingPolicy::kFcfs,
          .max_step_ns = options.max_step_ns,
          .max_queue_ns = options.max_queue_ns,
          .allocation = options.allocation,
          .preemption_mode = options.preemption_mode,
          .expected_output_tokens = options.expected_output_tokens};
}

std::shared_ptr<const BlockHasher> block_hasher(const LLMEngineOptions& options) {
  if (!options.enable_prefix_caching) return nullptr;
  if (options.block_hasher != nullptr) return {std::shared_ptr<void>(), options.block_hasher};  // not owned
  return std::make_shared<const Blake2Hasher>(Blake2Hasher::random_secret());
}

TokenDelta token_delta(const StepEvents::Token& event, int64_t now_ns, const StepOutput& output) {
  const SampledToken& sample = output.samples[static_cast<size_t>(event.sample)];
  const auto top = output.top.begin() + event.first_top;
  TokenDelta delta{.index = event.sequence->index,
                   .token = sample.token,
                   .logprob = sample.logprob,
                   .time_ns = now_ns,
                   .top = {top, top + sample.num_top},
                   .finish_reason = event.finish_reason,
                   .stop_token = {},
                   .prompt = {}};
  if (event.finish_reason == FinishReason::kStop) delta.stop_token = sample.token;
  if (event.first_of_group) {
    delta.num_cached_tokens = event.group->num_cached_tokens;
    delta.first_scheduled_ns = event.group->times.first_scheduled_ns;
  }
  return delta;
}

TokenDelta prompt_delta(const StepEvents::PromptLogprobs& event, const StepOutput& output) {
  TokenDelta delta;
  auto top = output.prompt_top.begin() + event.first_top;
  for (int32_t i = event.first; i < event.first + event.count; ++i) {
    const PromptLogprob& scored = output.prompt_logprobs[static_cast<size_t>(i)];
    delta.prompt.push_back({.position = scored.position,
                            .token = scored.token,
                            .logprob = scored.logprob,
                            .top = {top, top + scored.num_top}});
    top += scored.num_top;
  }
  return delta;
}

}  // namespace

EngineLoop::EngineLoop(const LLMEngineOptions& options, std::unique_ptr<Executor> executor,
                       const Clock& clock, MetricsRegistry& metrics, EngineMailbox& mailbox)
    : options_(options),
      executor_(std::move(executor)),
      clock_(clock),
      mailbox_(mailbox),
      metrics_(metrics, options),
      memory_(options.num_blocks, options.block_size, block_hasher(options), options.num_swap_slots),
      scheduler_(scheduler_options(options), memory_) {
  for (StepInput& input : inputs_) input.reserve(options.max_num_seqs);
  events_.tokens.reserve(static_cast<size_t>(options.max_num_seqs));
  publish();
}

bool EngineLoop::step() {
  const bool commanded = take_commands();
  const bool stepped = run_step();
  return commanded || stepped;
}

void EngineLoop::run() {
  while (!mailbox_.stopping()) {
    if (!step()) mailbox_.wait_take(commands_);
  }
}

void EngineLoop::abort_all() {
  take_commands();
  obey(AbortAll{});
  drop_submitted();
  settle();
  forget_ended();
}

Expected<> EngineLoop::check() const {
  if (auto checked = scheduler_.check(); !checked) return checked;
  const size_t num_groups =
      scheduler_.running().size() + scheduler_.waiting().size() + scheduler_.returning().size();
  if (streams_.size() != num_groups) {
    return fail(ErrorCode::kInternal, "{} streams are open for {} requests", streams_.size(), num_groups);
  }
  return {};
}

bool EngineLoop::take_commands() {
  mailbox_.take(commands_);
  if (commands_.empty()) return false;
  for (EngineCommand& command : commands_) {
    std::visit([this](auto& value) { obey(value); }, command);
  }
  commands_.clear();
  settle();
  forget_ended();
  return true;
}

void EngineLoop::obey(AddRequests& command) {
  for (AddRequest& request : command) add(request);
}

void EngineLoop::add(AddRequest& request) {
  const SamplingParams& params = *request.params;
  const uint64_t seed =
      params.seed ? static_cast<uint64_t>(*params.seed)
                  : random_bits(static_cast<uint64_t>(options_.seed), static_cast<uint64_t>(request.id));
  SequenceGroup::Origin origin{
      .id = request.id,
      .first_sequence = std::exchange(next_sequence_, next_sequence_ + params.num_sequences()),
      .seed = seed,
      .arrival_ns = request.arrival_ns,
      .tenant = request.tenant,
      .priority = request.priority,
      .cache_salt = std::move(request.cache_salt),
      .pins = request.pins};
  streams_.emplace(request.id, std::move(request.stream));
  scheduler_.add(
      std::make_unique<SequenceGroup>(origin, std::move(request.prompt), std::move(request.params)));
}

void EngineLoop::obey(const AbortRequest& command) {
  if (SequenceGroup* group = scheduler_.find(command.id)) end_group(*group, FinishReason::kAborted);
}

void EngineLoop::obey(const FinishContinuation& command) {
  SequenceGroup* group = scheduler_.find(command.id);
  if (group == nullptr || group->num_beams > 0) return;  // beams end together
  if (command.index < 0 || command.index >= std::ssize(group->sequences())) return;
  Sequence& sequence = group->sequences()[static_cast<size_t>(command.index)];
  if (!sequence.finished()) end_sequence(*group, sequence, FinishReason::kStop);
}

void EngineLoop::obey(const UnpinPrefix& command) { scheduler_.unpin(command.id); }

void EngineLoop::obey(const AbortAll&) {
  while (!scheduler_.running().empty()) end_group(*scheduler_.running().back(), FinishReason::kAborted);
  while (!scheduler_.returning().empty()) {
    end_group(*scheduler_.returning().back().group, FinishReason::kAborted);
  }
  while (!scheduler_.waiting().empty()) end_group(*scheduler_.waiting().back(), FinishReason::kAborted);
}

void EngineLoop::obey(const TakeView& command) {
  EngineView& view = *command.view;
  view.now_ns = clock_.now_ns();
  step_log_.look(view.now_ns);
  view.stats = stats();
  view.totals = metrics_.totals();
  view.take(scheduler_, memory_, step_log_);
  command.done();
}

// The step after the next is submitted before the next one is collected, so that the workers never wait for
// the scheduler or for deliveries.
bool EngineLoop::run_step() {
  end_overdue();
  if (num_submitted_ == num_steps_) {
    const int64_t now_ns = clock_.now_ns();
    if (!scheduler_.schedule(now_ns, next_input())) return false;
    step_log_.begin(now_ns);
    const int64_t num_admitted = scheduler_.num_admitted();
    mailbox_.stop_waiting(num_admitted - std::exchange(num_admitted_, num_admitted));
    submit();
  }
  if (executor_->max_submitted() > 1 && scheduler_.schedule_ahead(next_input())) submit();

  const StepInput& input = inputs_[static_cast<size_t>(num_steps_++ % 2)];
  const auto output = executor_->collect();
  if (!output) {
    fail_running(output.error());
    settle();
  } else {
    scheduler_.update(**output, clock_.now_ns(), events_);
    count_step(input);
    settle();  // first, so that who sees a request's end also sees it counted
    deliver(**output);
  }
  forget_ended();
  return true;
}

void EngineLoop::end_overdue() {
  const int64_t now_ns = clock_.now_ns();
  SequenceGroup* group = scheduler_.find_overdue(now_ns);
  if (group == nullptr) return;
  for (; group != nullptr; group = scheduler_.find_overdue(now_ns))
    end_group(*group, FinishReason::kTimedOut);
  settle();
  forget_ended();
}

void EngineLoop::submit() {
  executor_->submit(next_input());
  ++num_submitted_;
}

void EngineLoop::drop_submitted() {
  while (num_steps_ < num_submitted_) {
    ++num_steps_;
    if (const auto output = executor_->collect()) {
      scheduler_.update(**output, clock_.now_ns(), events_);
    } else {
      scheduler_.forget_rows();
    }
  }
}

void EngineLoop::count_step(const StepInput& input) {
  int64_t num_tokens = 0;
  for (const RowWork& work : input.work) num_tokens += work.num_tokens;
  metrics_.step(num_tokens);
  step_log_.end(num_steps_, input.work, events_.now_ns);
  for (const auto& event : events_.tokens) metrics_.token(event, events_.now_ns);
  for (const auto& search : events_.searches) metrics_.searched(search, events_.now_ns);
  for (const auto& pooled : events_.pooled) metrics_.pooled(*pooled.group);
}

void EngineLoop::deliver(const StepOutput& output) {
  for (const auto& event : events_.prompt_logprobs)
    stream_of(*event.group).push(prompt_delta(event, output));
  for (const auto& event : events_.tokens) {
    RequestStream& stream = stream_of(*event.group);
    stream.count_generated(1);
    stream.push(token_delta(event, events_.now_ns, output));
  }
  for (const auto* group : events_.choices) {
    stream_of(*group).count_generated(group->params()->num_sequences());
  }
  for (const auto& search : events_.searches) deliver_search(search);
  for (const auto& pooled : events_.pooled) deliver_embedding(pooled, output);
}

void EngineLoop::deliver_search(const StepEvents::Search& search) {
  RequestStream& stream = stream_of(*search.group);
  int32_t num_cached_tokens = search.group->num_cached_tokens;  // told with the first token
  for (int32_t i = 0; i < search.group->params()->n; ++i) {
    TokenDelta delta;
    delta.index = i;
    delta.time_ns = events_.now_ns;
    if (search.best.empty()) {
      delta.finish_reason = failure_of_search(*search.group);
      stream.push(std::move(delta));
      continue;
    }
    const BeamHypothesis& hypothesis = search.best[static_cast<size_t>(i)];
    for (size_t t = 0; t < hypothesis.tokens.size(); ++t) {
      delta.token = hypothesis.tokens[t];
      delta.logprob = hypothesis.logprobs[t];
      delta.num_cached_tokens = std::exchange(num_cached_tokens, 0);
      delta.first_scheduled_ns = i == 0 && t == 0 ? search.group->times.first_scheduled_ns : 0;
      if (t + 1 == hypothesis.tokens.size()) {
        delta.finish_reason = hypothesis.finish_reason;
        if (delta.finish_reason == FinishReason::kStop) delta.stop_token = delta.token;
      }
      stream.push(delta);
    }
  }
}

void EngineLoop::deliver_embedding(const StepEvents::Pooled& pooled, const StepOutput& output) {
  TokenDelta delta;
  delta.time_ns = events_.now_ns;
  delta.finish_reason = FinishReason::kStop;
  delta.num_cached_tokens = pooled.group->num_cached_tokens;
  delta.first_scheduled_ns = pooled.group->times.first_scheduled_ns;
  delta.embedding = output.embeddings[static_cast<size_t>(pooled.embedding)];
  stream_of(*pooled.group).push(std::move(delta));
}

void EngineLoop::fail_running(const Error& error) {
  LOG(error, "a step failed, and {} requests with it: {}", scheduler_.running().size(), error.message);
  scheduler_.forget_rows();
  for (; num_steps_ < num_submitted_; ++num_steps_)
    static_cast<void>(executor_->collect());  // fails as well
  while (!scheduler_.running().empty()) end_group(*scheduler_.running().back(), FinishReason::kError);
}

void EngineLoop::end_group(SequenceGroup& group, FinishReason reason) {
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished()) end_sequence(group, sequence, reason);
  }
}

void EngineLoop::end_sequence(SequenceGroup& group, Sequence& sequence, FinishReason reason) {
  scheduler_.end(group, sequence, reason);
  if (sequence.index >= group.params()->num_continuations()) return;  // a beam that no client knows of
  TokenDelta delta;
  delta.index = sequence.index;
  delta.finish_reason = reason;
  stream_of(group).push(std::move(delta));
}

void EngineLoop::settle() {
  scheduler_.take_ended(ended_);
  const int64_t now_ns = clock_.now_ns();
  for (const auto& group : ended_) {
    metrics_.ended(*group, now_ns);
    if (group->times.first_scheduled_ns == kNotYet) mailbox_.stop_waiting(1);
    if (group->pinned) {
      mailbox_.with_claims(
          [&](BlockClaims& claims) { claims.complete(group->id(), group->num_cached_tokens); });
    }
  }
  publish();
}

void EngineLoop::forget_ended() {
  for (const auto& group : ended_) {
    streams_.erase(group->id());
    mailbox_.with_claims([&](BlockClaims& claims) { claims.leave(group->id()); });
    mailbox_.leave();
  }
  ended_.clear();
}

EngineStats EngineLoop::stats() const {
  const SwapBooks& swap = memory_.swap_books();
  const int32_t num_swapped = swap.num_tables() == 0 ? 0 : scheduler_.num_swapped();
  const auto num_in_swap_queue = num_swapped - static_cast<int32_t>(scheduler_.returning().size());
  EngineStats stats{.num_running = static_cast<int32_t>(scheduler_.running().size()),
                    .num_waiting = static_cast<int32_t>(scheduler_.waiting().size()) - num_in_swap_queue,
                    .num_swapped = num_swapped,
                    .num_free_blocks = memory_.num_free_blocks(),
                    .num_blocks = memory_.num_blocks(),
                    .kv_slots_allocated = memory_.slots_allocated(),
                    .kv_slots_filled = memory_.slots_filled(),
                    .num_table_entries = memory_.num_table_entries(),
                    .reserved = scheduler_.reserved_slots(),
                    .num_steps = num_steps_,
                    .num_preemptions = scheduler_.num_preemptions(),
                    .num_swap_slots = swap.num_slots(),
                    .num_free_swap_slots = swap.num_free(),
                    .preemptions = scheduler_.preemption_counts()};
  if (const PrefixCache* cache = memory_.prefix_cache()) {
    stats.num_cached_blocks = cache->num_cached();
    stats.num_pinned_blocks = memory_.num_pinned_blocks();
    stats.num_evictions = cache->num_evictions();
    stats.num_tokens_queried = scheduler_.prefixes().num_tokens_queried();
    stats.num_tokens_found = scheduler_.prefixes().num_tokens_found();
  }
  return stats;
}

void EngineLoop::publish() {
  const EngineStats now = stats();
  metrics_.refresh(now);
  mailbox_.publish(now);
}

}  // namespace quire
