#include "simulate/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "engine/llm_engine.h"
#include "memory/block_table.h"
#include "simulate/fake_executor.h"
#include "simulate/simulated_client.h"
#include "simulate/simulated_pins.h"

namespace quire {
namespace {

constexpr int32_t kVocabSize = 24;
// Far above what the drawn sizes can need; only a livelock gets there.
constexpr int64_t kMaxSteps = 400'000;

template <class T, size_t N>
T choose(Rng& rng, const T (&values)[N]) {
  return values[rng.below(N)];
}

// Few digests, so that the cache has to tell blocks apart by what they hold and follow.
class CollidingHasher final : public BlockHasher {
 public:
  BlockDigest root(const PrefixScope&) const override { return {}; }
  BlockDigest child(const BlockDigest&, std::span<const TokenId> tokens) const override {
    return {static_cast<uint8_t>(tokens.front() % 3)};
  }
};

LLMEngineOptions draw_options(Rng& rng) {
  LLMEngineOptions options;
  options.block_size = choose(rng, {1, 2, 3, 4, 8, 16});
  options.num_blocks = choose(rng, {2, 3, 4, 6, 8, 12, 16, 24, 40, 80});
  const int32_t longest = std::min(options.num_blocks * options.block_size, 120);
  const bool full = rng.below(2) == 0;  // a context as large as the pool, so that blocks run out
  options.max_model_len =
      full ? longest + 1 : 2 + static_cast<int32_t>(rng.below(static_cast<uint64_t>(longest)));
  options.max_num_seqs = choose(rng, {1, 2, 3, 4, 6, 8, 12, 16});
  options.max_num_batched_tokens = choose(rng, {1, 2, 3, 4, 5, 7, 8, 16, 40, 200});
  options.max_queue = rng.below(12) == 0 ? 8 : 64;
  options.by_priority = rng.below(3) == 0;
  options.max_step_ns = choose(rng, {0, 0, 2'000'000, 5'000'000});
  options.max_queue_ns = choose(rng, {0, 0, 50'000'000, 500'000'000});
  options.seed = static_cast<int64_t>(rng());
  options.enable_prefix_caching = rng.below(4) > 0;
  static const CollidingHasher colliding;
  if (rng.below(4) == 0) options.block_hasher = &colliding;
  options.num_swap_slots = choose(rng, {0, 1, 3, 8, 40, 40, 1000, 1000});
  options.preemption_mode = choose(rng, {PreemptionMode::kRecompute, PreemptionMode::kSwap,
                                         PreemptionMode::kSwap, PreemptionMode::kAuto});
  options.expected_output_tokens = choose(rng, {0, 0, 0, 4, 256});
  return options;
}

FakeSwapOptions draw_swap(Rng& rng, const LLMEngineOptions& options) {
  return {.num_slots = options.num_swap_slots,
          .max_delay_steps = choose(rng, {0, 1, 7}),
          .failure_rate = choose(rng, {0.0, 0.0, 0.02, 1.0}),
          .seed = rng()};
}

std::string describe(const LLMEngineOptions& options) {
  return fmt::format(
      "{} blocks of {}, context {}, {} sequences, {} tokens and {} ns a step, queue of {} for {} ns, "
      "{}{}{}, "
      "{} swap slots, recovery {}, outputs of {} expected",
      options.num_blocks, options.block_size, options.max_model_len, options.max_num_seqs,
      options.max_num_batched_tokens, options.max_step_ns, options.max_queue, options.max_queue_ns,
      options.by_priority ? "by priority" : "by arrival",
      options.enable_prefix_caching ? ", prefix cache" : "", options.block_hasher ? " that collides" : "",
      options.num_swap_slots, static_cast<int>(options.preemption_mode), options.expected_output_tokens);
}

// An engine with its fake executor and clock.
class Bench {
 public:
  explicit Bench(const LLMEngineOptions& options, const FakeSwapOptions& swap = {},
                 std::function<void(const StepInput&)> observe = {})
      : metrics_("") {
    auto executor = std::make_unique<FakeExecutor>(
        FakeExecutorOptions{.num_slots = options.max_num_seqs,
                            .num_blocks = options.num_blocks,
                            .block_size = options.block_size,
                            .max_num_batched_tokens = options.max_num_batched_tokens,
                            .vocab_size = kVocabSize,
                            .clock = &clock_,
                            .swap = swap,
                            .observe = std::move(observe)});
    executor_ = executor.get();
    engine_ = std::make_unique<LLMEngine>(options, std::move(executor), clock_, metrics_);
  }

  LLMEngine& engine() { return *engine_; }
  FakeExecutor& executor() { return *executor_; }
  ManualClock& clock() { return clock_; }

 private:
  ManualClock clock_;
  MetricsRegistry metrics_;
  std::unique_ptr<LLMEngine> engine_;
  FakeExecutor* executor_ = nullptr;  // the engine's own
};

// The most blocks that the request can come to hold, counted token by token.
int64_t count_peak_blocks(const ClientPlan& plan, int32_t block_size) {
  const auto num_prompt_tokens = static_cast<int64_t>(plan.prompt.size());
  int64_t blocks = 0;
  for (int64_t position = 0; position < num_prompt_tokens + plan.params.max_tokens - 1;
       position += block_size) {
    const bool whole_in_prompt = position + block_size <= num_prompt_tokens;
    const bool never_written_apart = plan.params.max_tokens == 1;
    blocks += whole_in_prompt || never_written_apart ? 1 : plan.params.num_sequences();
  }
  return blocks;
}

bool can_ever_run(const ClientPlan& plan, const LLMEngineOptions& options) {
  const auto num_prompt_tokens = static_cast<int64_t>(plan.prompt.size());
  return num_prompt_tokens > 0 && num_prompt_tokens + plan.params.max_tokens <= options.max_model_len &&
         plan.params.num_sequences() <= options.max_num_seqs &&
         count_peak_blocks(plan, options.block_size) <= options.num_blocks;
}

Expected<Transcript> run_alone(ClientPlan plan) {
  plan.leaves_after_steps.reset();
  plan.leaves_after_tokens.reset();
  plan.finishes.clear();
  plan.priority = 0;
  const auto length = static_cast<int32_t>(plan.prompt.size()) + plan.params.max_tokens;
  Bench bench({.num_blocks = plan.params.num_sequences() * (length / 16 + 1),
               .block_size = 16,
               .max_model_len = length,
               .max_num_seqs = plan.params.num_sequences(),
               .max_num_batched_tokens = std::max(length, plan.params.num_sequences())});
  SimulatedClient client(std::move(plan));
  if (auto refusal = client.arrive(bench.engine())) return std::unexpected(*refusal);
  while (bench.engine().step()) {
    if (auto turn = client.take_turn(bench.engine()); !turn) return std::unexpected(turn.error());
  }
  if (!bench.executor().violation().empty())
    return fail(ErrorCode::kInternal, "{}", bench.executor().violation());
  return client.transcript();
}

template <class T>
bool is_prefix(const std::vector<T>& prefix, const std::vector<T>& whole) {
  return prefix.size() <= whole.size() && std::equal(prefix.begin(), prefix.end(), whole.begin());
}

class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : rng_(seed),
        options_(draw_options(rng_)),
        bench_(options_, draw_swap(rng_, options_), [this](const StepInput& input) {
          report_.num_forks += std::ssize(input.forks);
          report_.num_branches += std::ssize(input.branches);
          report_.num_copies += std::ssize(input.copies);
          report_.num_merges += std::ssize(input.edits);
        }) {
    report_.setting = describe(options_);
    const ClientLimits limits{.max_model_len = options_.max_model_len,
                              .max_num_seqs = options_.max_num_seqs,
                              .num_blocks = options_.num_blocks,
                              .block_size = options_.block_size,
                              .vocab_size = kVocabSize,
                              .arrival_window_ns = choose(rng_, {1'000'000, 20'000'000, 200'000'000}),
                              .have_priorities = options_.by_priority,
                              .num_tenants = choose(rng_, {1, 3})};
    const size_t num_clients = 1 + rng_.below(48);
    for (size_t i = 0; i < num_clients; ++i) clients_.emplace_back(draw_client(rng_, limits));
    std::ranges::stable_sort(clients_, {}, [](const auto& client) { return client.plan().arrival_ns; });
    steps_fail_ = rng_.below(5) == 0;
    pins_ = std::make_unique<SimulatedPins>(rng_, limits, options_);
    arrival_turns_.resize(clients_.size());
  }

  Expected<SimulationReport> run() {
    Expected<> result = run_to_end();
    if (result) result = check_baseline();
    for (size_t i = 0; result && i < clients_.size(); ++i) result = compare_with_alone(clients_[i]);
    if (!result) {
      return fail(ErrorCode::kInternal, "step {}: {} ({})", report_.num_steps, result.error().message,
                  report_.setting);
    }
    report_.num_ahead = bench_.executor().num_ahead();
    report_.num_requests = std::ssize(clients_);
    const EngineStats stats = bench_.engine().stats();
    report_.num_preemptions = stats.num_preemptions;
    report_.preemptions = stats.preemptions;
    report_.num_evictions = stats.num_evictions;
    report_.num_found = stats.num_tokens_found;
    report_.num_pinned = pins_->num_pinned();
    return report_;
  }

 private:
  Expected<> run_to_end() {
    while (!std::ranges::all_of(clients_, &SimulatedClient::ended) || !pins_->ended()) {
      if (++report_.num_steps > kMaxSteps) return fail(ErrorCode::kInternal, "requests do not end");
      if (auto arrived = let_arrive(); !arrived) return arrived;
      if (steps_fail_ && rng_.below(50) == 0) bench_.executor().fail_next_step();
      if (!bench_.engine().step()) skip_to_next_arrival();
      if (!bench_.executor().violation().empty()) {
        return fail(ErrorCode::kInternal, "{}", bench_.executor().violation());
      }
      if (auto checked = bench_.engine().check(); !checked) return checked;
      for (SimulatedClient& client : clients_) {
        if (auto turn = client.take_turn(bench_.engine()); !turn) return turn;
      }
      if (auto kept = check_promises(); !kept) return kept;
      if (auto turn = pins_->take_turn(bench_.engine()); !turn) return turn;
    }
    while (bench_.engine().step()) {  // late commands
    }
    return bench_.engine().check();
  }

  Expected<> let_arrive() {
    for (; next_client_ < clients_.size(); ++next_client_) {
      SimulatedClient& client = clients_[next_client_];
      if (client.plan().arrival_ns > bench_.clock().now_ns()) break;
      const int64_t num_found = pins_->num_found(client.plan(), pins_->num_turns());
      const bool possible = can_ever_run(client.plan(), options_) &&
                            count_peak_blocks(client.plan(), options_.block_size) - num_found <=
                                options_.num_blocks - pins_->num_blocks();
      const auto refusal = client.arrive(bench_.engine());
      arrival_turns_[next_client_] = pins_->num_turns();
      if (!refusal && !possible)
        return fail(ErrorCode::kInternal, "a request that can never run was taken");
      if (!refusal) continue;
      ++report_.num_refused;
      // A full queue is seen before what is pinned.
      const bool justified = refusal->code == ErrorCode::kResourceExhausted
                                 ? can_ever_run(client.plan(), options_)
                                 : !possible && refusal->code == ErrorCode::kInvalidArgument;
      if (!justified) return fail(ErrorCode::kInternal, "refused: {}", refusal->message);
    }
    return pins_->let_arrive(bench_.engine(), bench_.clock().now_ns(), largest_peak());
  }

  int64_t largest_peak() const {
    int64_t largest = 0;
    for (const SimulatedClient& client : std::span(clients_).first(next_client_)) {
      if (client.ended()) continue;
      largest = std::max(largest, count_peak_blocks(client.plan(), options_.block_size));
    }
    return largest;
  }

  // Who got a token has found what was pinned when it came and is pinned still.
  Expected<> check_promises() {
    for (size_t i = 0; i < next_client_; ++i) {
      const Transcript& transcript = clients_[i].transcript();
      if (arrival_turns_[i] < 0 || transcript.num_tokens() == 0) continue;
      const int64_t since = std::exchange(arrival_turns_[i], -1);
      const int64_t pinned = pins_->num_found(clients_[i].plan(), since) * options_.block_size;
      report_.num_sure += pinned > 0 ? 1 : 0;
      if (transcript.num_cached_tokens >= pinned) continue;
      return fail(ErrorCode::kInternal, "{} tokens were found, but {} were pinned",
                  transcript.num_cached_tokens, pinned);
    }
    return {};
  }

  void skip_to_next_arrival() {
    int64_t next_ns = pins_->next_arrival_ns();
    if (next_client_ < clients_.size())
      next_ns = std::min(next_ns, clients_[next_client_].plan().arrival_ns);
    const int64_t now_ns = bench_.clock().now_ns();
    if (next_ns != std::numeric_limits<int64_t>::max() && next_ns > now_ns)
      bench_.clock().advance_ns(next_ns - now_ns);
  }

  Expected<> check_baseline() {
    const EngineStats stats = bench_.engine().stats();
    if (stats.num_free_blocks == stats.num_blocks && stats.kv_slots_filled == 0 &&
        stats.kv_slots_allocated == 0 && stats.num_running == 0 && stats.num_waiting == 0 &&
        stats.num_swapped == 0 && stats.num_free_swap_slots == stats.num_swap_slots) {
      return {};
    }
    return fail(ErrorCode::kInternal, "at the end {} of {} blocks are free and {} slots filled",
                stats.num_free_blocks, stats.num_blocks, stats.kv_slots_filled);
  }

  // What ended by itself must be the same alone; what was cut short must be the beginning of it.
  Expected<> compare_with_alone(const SimulatedClient& client) {
    if (!can_ever_run(client.plan(), options_) || client.refused()) return {};
    const auto alone = run_alone(client.plan());
    if (!alone) return std::unexpected(alone.error());
    const Transcript& mine = client.transcript();
    for (size_t i = 0; i < mine.continuations.size(); ++i) {
      const auto& got = mine.continuations[i];
      if (got.finish_reason == FinishReason::kTimedOut && !got.tokens.empty()) {
        return fail(ErrorCode::kInternal, "a request that had begun was ended for waiting");
      }
      const auto& wanted = alone->continuations[i];
      count(got);
      const bool cut_short = got.finish_reason == FinishReason::kAborted ||
                             got.finish_reason == FinishReason::kError ||
                             got.finish_reason == FinishReason::kTimedOut ||
                             (got.finish_reason == FinishReason::kStop && !got.stop_token);
      const bool same =
          cut_short || (got.tokens == wanted.tokens && got.finish_reason == wanted.finish_reason &&
                        got.stop_token == wanted.stop_token);
      if (!same || !is_prefix(got.tokens, wanted.tokens) || !is_prefix(got.logprobs, wanted.logprobs) ||
          !is_prefix(got.num_top, wanted.num_top)) {
        return fail(ErrorCode::kInternal, "continuation {} has tokens [{}] ({}), but alone [{}] ({})", i,
                    fmt::join(got.tokens, " "), to_string(got.finish_reason), fmt::join(wanted.tokens, " "),
                    to_string(wanted.finish_reason));
      }
    }
    const bool whole = mine.num_tokens() > 0;
    if (!is_prefix(mine.prompt_logprobs, alone->prompt_logprobs) ||
        (whole && mine.prompt_logprobs.size() != alone->prompt_logprobs.size())) {
      return fail(ErrorCode::kInternal, "{} prompt log-probabilities, but alone {}, or others",
                  mine.prompt_logprobs.size(), alone->prompt_logprobs.size());
    }
    return {};
  }

  void count(const Transcript::Continuation& continuation) {
    report_.num_aborted += continuation.finish_reason == FinishReason::kAborted;
    report_.num_timed_out += continuation.finish_reason == FinishReason::kTimedOut;
    report_.num_failed += continuation.finish_reason == FinishReason::kError;
    report_.num_stopped += continuation.finish_reason == FinishReason::kStop;
    report_.num_full_length += continuation.finish_reason == FinishReason::kLength;
  }

  Rng rng_;
  const LLMEngineOptions options_;
  SimulationReport report_;
  Bench bench_;
  std::vector<SimulatedClient> clients_;  // by arrival
  size_t next_client_ = 0;
  bool steps_fail_ = false;
  std::unique_ptr<SimulatedPins> pins_;
  std::vector<int64_t> arrival_turns_;  // by client, of pins_; -1: it has got a token
};

}  // namespace

Expected<SimulationReport> simulate(uint64_t seed) { return Simulation(seed).run(); }

}  // namespace quire
