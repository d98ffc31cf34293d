#include "engine/llm_engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/thread_name.h"
#include "engine/engine_loop.h"
#include "engine/engine_mailbox.h"
#include "scheduler/scheduler.h"

namespace quire {
namespace {

BlockLimits block_limits(const LLMEngineOptions& options) {
  return {.num_blocks = options.num_blocks,
          .block_size = options.block_size,
          .max_pinned_blocks = static_cast<int32_t>(options.num_blocks * options.max_pinned_share)};
}

}  // namespace

LLMEngine::LLMEngine(const LLMEngineOptions& options, std::unique_ptr<Executor> executor,
                     const Clock& clock, MetricsRegistry& metrics)
    : options_(options),
      clock_(clock),
      mailbox_(std::make_unique<EngineMailbox>(options.max_queue, block_limits(options))),
      loop_(std::make_unique<EngineLoop>(options, std::move(executor), clock, metrics, *mailbox_)) {}

LLMEngine::~LLMEngine() {
  mailbox_->refuse_requests();
  mailbox_->stop();
  if (thread_.joinable()) thread_.join();
  loop_->abort_all();
}

void LLMEngine::start() {
  CHECK(!thread_.joinable(), "started twice");
  thread_ = std::thread([this] {
    set_thread_name("quire-engine");
    loop_->run();
  });
}

Expected<std::shared_ptr<RequestStream>> LLMEngine::submit(std::vector<TokenId> prompt,
                                                           const SamplingParams& params) {
  std::vector<EngineRequest> requests(1);
  requests[0].prompt = std::move(prompt);
  requests[0].params = std::make_shared<const SamplingParams>(params);
  auto streams = submit(std::move(requests));
  if (!streams) return std::unexpected(streams.error());
  return std::move(streams->front());
}

Expected<> LLMEngine::check(EngineRequest& request) const {
  if (request.priority != 0 && !options_.by_priority) {
    return fail_param("priority",
                      "priority is {}, but requests run in order of arrival (scheduling_policy is fcfs)",
                      request.priority);
  }
  if (request.pins) {
    if (!options_.enable_prefix_caching || options_.allocation != AllocationPolicy::kPaged) {
      return fail(ErrorCode::kUnsupported, "prefixes cannot be pinned: there is no prefix cache");
    }
    CHECK(request.params->max_tokens == 1 && request.params->num_sequences() == 1);
    const auto block_size = static_cast<size_t>(options_.block_size);
    request.prompt.resize(request.prompt.size() / block_size * block_size);
    if (request.prompt.empty()) return {};  // the claims say why it is refused
  }
  const bool one_token = request.params->max_tokens == 1 && request.params->num_sequences() == 1;
  CHECK(one_token || request.params->pooling == Pooling::kNone, "an embedding is no token");
  const SchedulerOptions limits{.max_num_seqs = options_.max_num_seqs,
                                .max_num_batched_tokens = options_.max_num_batched_tokens,
                                .max_model_len = options_.max_model_len,
                                .allocation = options_.allocation};
  const SamplingParams& params = *request.params;
  return Scheduler::check_fits(limits, options_.num_blocks, options_.block_size,
                               static_cast<int64_t>(request.prompt.size()), params.max_tokens,
                               params.num_sequences(), params.best_of ? "best_of" : "n");
}

Expected<std::vector<std::shared_ptr<RequestStream>>> LLMEngine::submit(
    std::vector<EngineRequest> requests) {
  for (EngineRequest& request : requests) {
    if (auto checked = check(request); !checked) return std::unexpected(checked.error());
  }
  const auto count = static_cast<int32_t>(requests.size());
  if (!mailbox_->enter(count)) {
    return fail(ErrorCode::kResourceExhausted, "{} requests wait already; try again later",
                options_.max_queue);
  }
  const auto leave = [&](const Error& error) {
    mailbox_->stop_waiting(count);
    mailbox_->leave(count);
    return std::unexpected(error);
  };
  // After enter(), so that a drain either sees the request or is seen by it.
  if (mailbox_->draining()) return leave({ErrorCode::kUnavailable, "the engine is shutting down", {}});
  std::vector<std::shared_ptr<RequestStream>> streams;
  AddRequests command;
  for (EngineRequest& request : requests) {
    const RequestId id = next_id_.fetch_add(1, std::memory_order_relaxed);
    streams.push_back(std::make_shared<RequestStream>(id, request.params->num_continuations()));
    command.push_back({.id = id,
                       .arrival_ns = clock_.now_ns(),
                       .tenant = request.tenant,
                       .priority = request.priority,
                       .cache_salt = std::move(request.cache_salt),
                       .pins = request.pins,
                       .prompt = std::move(request.prompt),
                       .params = std::move(request.params),
                       .stream = streams.back()});
  }
  if (auto sent = mailbox_->submit(std::move(command), clock_.unix_seconds()); !sent) {
    return leave(sent.error());
  }
  return streams;
}

std::vector<PinnedPrefix> LLMEngine::pinned_prefixes(TenantId tenant) const {
  return mailbox_->with_claims([&](const BlockClaims& claims) { return claims.list(tenant); });
}

bool LLMEngine::unpin(RequestId id, TenantId tenant) { return mailbox_->unpin(id, tenant); }

int64_t LLMEngine::room_for(const BlockClaim& claim) const {
  return mailbox_->with_claims([&](const BlockClaims& claims) { return claims.room_for(claim); });
}

void LLMEngine::abort(RequestId id) { mailbox_->send(AbortRequest{id}); }

void LLMEngine::finish(RequestId id, int32_t index) { mailbox_->send(FinishContinuation{id, index}); }

void LLMEngine::drain(double timeout_seconds) {
  mailbox_->refuse_requests();
  const double bounded_seconds = std::clamp(timeout_seconds, 0.0, 1e6);
  const auto timeout = std::chrono::nanoseconds(static_cast<int64_t>(bounded_seconds * 1e9));
  if (thread_.joinable()) {
    if (mailbox_->wait_until_idle(timeout)) return;
    mailbox_->send(AbortAll{});
    while (!mailbox_->wait_until_idle(std::chrono::hours(1))) {
    }
    return;
  }
  const int64_t deadline_ns = clock_.now_ns() + timeout.count();
  while (!mailbox_->idle() && clock_.now_ns() < deadline_ns) loop_->step();
  loop_->abort_all();
}

EngineStats LLMEngine::stats() const { return mailbox_->stats(); }

void LLMEngine::take_view(std::shared_ptr<EngineView> view, std::function<void()> done) {
  mailbox_->send(TakeView{std::move(view), std::move(done)});
}

bool LLMEngine::step() {
  CHECK(!thread_.joinable(), "the loop has a thread of its own");
  return loop_->step();
}

Expected<> LLMEngine::check() const {
  CHECK(!thread_.joinable(), "the loop has a thread of its own");
  return loop_->check();
}

}  // namespace quire
