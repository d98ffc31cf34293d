#include "bench/paper_machine.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/machine.h"
#include "base/metrics.h"
#include "bench/local_bench.h"
#include "bench/step_recorder.h"
#include "config/preemption_mode.h"
#include "engine/memory_plan.h"
#include "runtime/local_executor.h"
#include "simulate/cost_model_executor.h"

namespace quire {
namespace {

constexpr int32_t kUnlimitedQueue = 1 << 20;
constexpr int32_t kPaperPoolTokens = 15'360;  // of 800 KB in 12 GB

// Greedy and of known length: nothing that is drawn decides what is measured. Continuations of one request
// need a temperature to differ; their lengths are the same all the same.
SamplingParams paper_params(const PaperSetting& setting) {
  SamplingParams params;
  params.n = setting.n;
  params.use_beam_search = setting.beams;
  params.temperature = setting.n > 1 && !setting.beams ? 1 : 0;
  params.ignore_eos = true;
  return params;
}

// A burst of equal requests.
struct Burst {
  int32_t count, input_len, output_len;
};

std::vector<WorkItem> make_burst(const Burst& burst, int32_t vocab_size, int64_t seed) {
  return make_workload({.num_prompts = burst.count,
                        .input_len = {.median = static_cast<double>(burst.input_len)},
                        .output_len = {.median = static_cast<double>(burst.output_len)},
                        .first_token = first_random_token(vocab_size),
                        .vocab_size = vocab_size,
                        .seed = seed});
}

void sleep_until(const Clock& clock, int64_t until_ns) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(until_ns - clock.now_ns()));
}

}  // namespace

SimulatedMachine paper_machine(int32_t block_size) {
  return {.cost = opt_13b_on_a100(block_size), .pool_tokens = kPaperPoolTokens};
}

Expected<TraceRun> simulate_trace(const SimulatedMachine& machine, const PaperSetting& setting,
                                  std::span<const WorkItem> workload) {
  const LLMEngineOptions options{.num_blocks = machine.pool_tokens / setting.block_size,
                                 .block_size = setting.block_size,
                                 .max_model_len = kPaperContext,
                                 .max_num_seqs = machine.max_num_seqs,
                                 .max_num_batched_tokens = machine.max_num_batched_tokens,
                                 .max_queue = kUnlimitedQueue,
                                 .seed = 0,
                                 .enable_prefix_caching = setting.prefix_cache,
                                 .allocation = setting.policy};
  ManualClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine(options, std::make_unique<CostModelExecutor>(machine.cost, clock), clock, metrics);
  return run_trace(engine, workload, paper_params(setting), clock,
                   [&](int64_t until_ns) { clock.advance_ns(until_ns - clock.now_ns()); });
}

// What one run needs of the model.
struct MeasuredMachine::Loaded {
  LLMEngineOptions options;
  std::unique_ptr<Executor> executor;
};

Expected<MeasuredMachine> MeasuredMachine::open(const EngineConfig& config) {
  MeasuredMachine machine;
  machine.config_ = config;
  machine.config_.max_model_len = kPaperContext;
  const auto file = GgufFile::open(config.model);
  if (!file) return std::unexpected(file.error());
  const auto plan = plan_engine(machine.config_, *file, available_memory_bytes());
  if (!plan) return std::unexpected(plan.error());
  machine.config_.threads = plan->config.threads;
  machine.model_ = plan->model.config;
  machine.kernels_ = plan->kernels;
  return machine;
}

Expected<MeasuredMachine::Loaded> MeasuredMachine::load(const PaperSetting& setting) const {
  const auto file = GgufFile::open(config_.model);
  if (!file) return std::unexpected(file.error());
  const int32_t context = setting.overloaded ? kOverloadedTokens : kPaperContext;
  EngineConfig config = config_;
  config.block_size = setting.block_size;
  config.preemption_mode = setting.swaps ? "swap" : "recompute";
  config.max_model_len = context;
  const auto sizes = plan_engine(config, *file, available_memory_bytes());
  if (!sizes) return std::unexpected(sizes.error());
  const int32_t pool_tokens = setting.overloaded ? context : kPoolContexts * context;
  const int32_t num_blocks = pool_tokens / setting.block_size;
  config.kv_cache_memory_bytes = sizes->memory.bytes_per_block * num_blocks;
  auto plan = plan_engine(config, *file, available_memory_bytes());
  if (!plan) return std::unexpected(plan.error());
  auto runner = ModelRunner::create(*file, std::move(plan->model), *plan->kernels, plan->runner);
  if (!runner) return std::unexpected(runner.error());
  LLMEngineOptions options{
      .num_blocks = num_blocks,
      .block_size = config.block_size,
      .max_model_len = context,
      .max_num_seqs = config.max_num_seqs,
      .max_num_batched_tokens = config.max_num_batched_tokens,
      .max_queue = kUnlimitedQueue,
      .seed = 0,
      .enable_prefix_caching = setting.prefix_cache,
      .allocation = setting.policy,
      .num_swap_slots = plan->memory.num_swap_slots,
      .preemption_mode = setting.swaps ? PreemptionMode::kSwap : PreemptionMode::kRecompute};
  if (setting.overloaded) options.expected_output_tokens = 0;
  return Loaded{.options = options, .executor = std::make_unique<LocalExecutor>(std::move(*runner))};
}

Expected<TraceRun> MeasuredMachine::run(const PaperSetting& setting,
                                        std::span<const WorkItem> workload) const {
  auto loaded = load(setting);
  if (!loaded) return std::unexpected(loaded.error());
  const SystemClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine(loaded->options, std::move(loaded->executor), clock, metrics);
  return run_trace(engine, workload, paper_params(setting), clock,
                   [&](int64_t until_ns) { sleep_until(clock, until_ns); });
}

Expected<std::vector<TimedStep>> MeasuredMachine::time_steps(bool quick) const {
  auto loaded = load({});
  if (!loaded) return std::unexpected(loaded.error());
  const SystemClock clock;
  MetricsRegistry metrics("");
  std::vector<TimedStep> steps;
  LLMEngine engine(loaded->options,
                   std::make_unique<StepRecorder>(std::move(loaded->executor), clock, steps), clock,
                   metrics);
  // The first burst finds cold memory, and is not counted.
  for (const Burst& burst : {Burst{4, 40, 4},
                             {1, 700, 16},
                             {1, 20, 24},
                             {2, 60, 24},
                             {4, 120, 20},
                             {8, 80, 20},
                             {12, 30, 20},
                             {16, 60, 16},
                             {24, 20, 16},
                             {32, 30, 16}}) {
    for (int repeat = 0; repeat < (quick ? 1 : 4); ++repeat) {
      Burst varied = burst;
      varied.input_len += repeat * burst.input_len / 2;
      if (quick) varied.output_len /= 2;
      const auto items = make_burst(varied, vocab_size(), std::ssize(steps));
      const auto done = run_trace(engine, items, paper_params({}), clock,
                                  [&](int64_t until_ns) { sleep_until(clock, until_ns); });
      if (!done) return std::unexpected(done.error());
    }
    if (burst.output_len == 4) steps.clear();
  }
  return steps;
}

Expected<double> MeasuredMachine::time_recompute(int32_t num_tokens, int32_t count) const {
  const auto items = make_burst({count, num_tokens, 1}, vocab_size(), 0);
  const auto done = run({}, items);
  if (!done) return std::unexpected(done.error());
  return done->elapsed_s / count;
}

Expected<SwapTiming> MeasuredMachine::time_swap(int32_t block_size, int32_t num_blocks,
                                                const std::string& dir) const {
  const CacheShape shape{.num_layers = model_.num_layers,
                         .num_kv_heads = model_.num_kv_heads,
                         .head_dim = model_.head_dim,
                         .block_size = block_size};
  ThreadPool pool(config_.threads, memory_nodes());
  return quire::time_swap(shape, num_blocks, {.dir = dir}, pool, SystemClock());
}

Expected<AttentionRow> MeasuredMachine::time_attention(const AttentionSizes& sizes,
                                                       int32_t block_size) const {
  ThreadPool pool(config_.threads, memory_nodes());
  return time_attention_layouts(model_, *kernels_, sizes, block_size, pool, SystemClock());
}

SimulatedMachine MeasuredMachine::simulated(CostModel cost) const {
  return {.cost = std::move(cost),
          .pool_tokens = kPoolContexts * kPaperContext,
          .max_num_seqs = config_.max_num_seqs,
          .max_num_batched_tokens = config_.max_num_batched_tokens};
}

}  // namespace quire
