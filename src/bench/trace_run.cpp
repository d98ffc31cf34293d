#include "bench/trace_run.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace quire {
namespace {

// Steps from one look at all streams to the next: often enough that no stream grows long.
constexpr int kStepsBetweenLooks = 32;

// Sums of states, each times how long it lasted.
class TimeAverages {
 public:
  void add(const EngineStats& stats, int32_t block_size, double seconds) {
    const bool reserves = stats.reserved.taken > 0;
    const auto taken = static_cast<double>(reserves ? stats.reserved.taken : stats.kv_slots_allocated);
    busy_s_ += seconds;
    running_ += seconds * stats.num_running;
    if (taken > 0) {
      taken_s_ += seconds;
      waste_ += seconds * (1 - static_cast<double>(stats.kv_slots_filled) / taken);
    }
    const auto unshared_blocks = static_cast<double>(stats.num_table_entries);
    unshared_ += seconds * unshared_blocks;
    saved_ += seconds * (unshared_blocks - static_cast<double>(stats.kv_slots_allocated) / block_size);
    if (stats.num_waiting == 0) return;
    const MemoryUse use = memory_use(stats, block_size);
    waiting_s_ += seconds;
    memory_.tokens += seconds * use.tokens;
    memory_.reserved += seconds * use.reserved;
    memory_.internal += seconds * use.internal;
    memory_.external += seconds * use.external;
  }

  void write(TraceRun& run) const {
    run.waste = taken_s_ > 0 ? waste_ / taken_s_ : 0;
    run.shared = unshared_ > 0 ? saved_ / unshared_ : 0;
    run.num_running = busy_s_ > 0 ? running_ / busy_s_ : 0;
    run.waiting_s = waiting_s_;
    if (waiting_s_ == 0) return;
    run.memory = {.tokens = memory_.tokens / waiting_s_,
                  .reserved = memory_.reserved / waiting_s_,
                  .internal = memory_.internal / waiting_s_,
                  .external = memory_.external / waiting_s_};
  }

 private:
  double busy_s_ = 0, taken_s_ = 0, waiting_s_ = 0;
  double running_ = 0, waste_ = 0;
  double unshared_ = 0, saved_ = 0;  // blocks times seconds
  MemoryUse memory_;
};

struct OpenRequest {
  std::shared_ptr<RequestStream> stream;
  size_t index = 0;  // in the workload
};

// Notes what has come for a request; false when it has ended.
Expected<bool> take(const OpenRequest& request, std::vector<TokenDelta>& deltas, int64_t start_ns,
                    RequestTimes& times) {
  deltas.clear();
  const bool more = request.stream->poll(deltas);
  for (const TokenDelta& delta : deltas) {
    if (delta.finish_reason != FinishReason::kNone && delta.finish_reason != FinishReason::kLength) {
      return fail(ErrorCode::kInternal, "a request ended with '{}'", to_string(delta.finish_reason));
    }
    const double time_s = static_cast<double>(delta.time_ns - start_ns) * 1e-9;
    if (times.first_token_s == 0) times.first_token_s = time_s;
    times.end_s = std::max(times.end_s, time_s);
  }
  return more;
}

class Run {
 public:
  Run(LLMEngine& engine, std::span<const WorkItem> workload, const SamplingParams& params,
      const Clock& clock)
      : engine_(engine), workload_(workload), params_(params), clock_(clock), start_ns_(clock.now_ns()) {
    result_.requests.resize(workload.size());
  }

  Expected<TraceRun> to_end(FunctionRef<void(int64_t)> wait_until) {
    const int64_t preemptions_before = engine_.stats().num_preemptions;
    int64_t now_ns = start_ns_;
    for (int64_t steps = 0; next_ < workload_.size() || !open_.empty(); ++steps) {
      if (auto submitted = submit_due(now_ns); !submitted) return std::unexpected(submitted.error());
      const bool stepped = engine_.step();
      const int64_t then_ns = std::exchange(now_ns, clock_.now_ns());
      if (stepped) {
        averages_.add(engine_.stats(), engine_.options().block_size,
                      static_cast<double>(now_ns - then_ns) * 1e-9);
      }
      if (!stepped || steps % kStepsBetweenLooks == 0) {
        if (auto looked = look(); !looked) return std::unexpected(looked.error());
      }
      if (!stepped && next_ < workload_.size()) {
        wait_until(due_ns(next_));
        now_ns = clock_.now_ns();
      }
    }
    averages_.write(result_);
    result_.elapsed_s = static_cast<double>(clock_.now_ns() - start_ns_) * 1e-9;
    result_.num_preemptions = engine_.stats().num_preemptions - preemptions_before;
    return std::move(result_);
  }

 private:
  int64_t due_ns(size_t index) const {
    return start_ns_ + static_cast<int64_t>(workload_[index].arrival_s * 1e9);
  }

  Expected<> submit_due(int64_t now_ns) {
    for (; next_ < workload_.size() && due_ns(next_) <= now_ns; ++next_) {
      const WorkItem& item = workload_[next_];
      params_.max_tokens = item.max_tokens;
      auto stream = engine_.submit(item.prompt, params_);
      if (!stream) return std::unexpected(stream.error());
      result_.requests[next_].arrival_s = item.arrival_s;
      result_.requests[next_].output_tokens = item.max_tokens;
      open_.push_back({std::move(*stream), next_});
    }
    return {};
  }

  Expected<> look() {
    size_t kept = 0;
    for (OpenRequest& request : open_) {
      const auto more = take(request, deltas_, start_ns_, result_.requests[request.index]);
      if (!more) return std::unexpected(more.error());
      if (*more) std::swap(open_[kept++], request);
    }
    open_.resize(kept);
    return {};
  }

  LLMEngine& engine_;
  const std::span<const WorkItem> workload_;
  SamplingParams params_;
  const Clock& clock_;
  const int64_t start_ns_;
  TraceRun result_;
  TimeAverages averages_;
  std::vector<OpenRequest> open_;
  std::vector<TokenDelta> deltas_;
  size_t next_ = 0;  // to be submitted
};

}  // namespace

MemoryUse memory_use(const EngineStats& stats, int32_t block_size) {
  const double pool = static_cast<double>(stats.num_blocks) * block_size;
  const auto filled = static_cast<double>(stats.kv_slots_filled);
  if (stats.reserved.taken == 0) {
    const auto allocated = static_cast<double>(stats.kv_slots_allocated);
    return {.tokens = filled / pool,
            .reserved = 0,
            .internal = (allocated - filled) / pool,
            .external = (pool - allocated) / pool};
  }
  const auto needed = static_cast<double>(stats.reserved.needed);
  const auto asked = static_cast<double>(stats.reserved.asked);
  return {.tokens = filled / pool,
          .reserved = (needed - filled) / pool,
          .internal = (asked - needed) / pool,
          .external = (pool - asked) / pool};
}

Expected<TraceRun> run_trace(LLMEngine& engine, std::span<const WorkItem> workload,
                             const SamplingParams& params, const Clock& clock,
                             FunctionRef<void(int64_t)> wait_until) {
  return Run(engine, workload, params, clock).to_end(wait_until);
}

}  // namespace quire
