#include "bench/measured_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

namespace quire {
namespace {

// Lengths are the trace's divided by so much, for time's sake.
constexpr int32_t kQuickDivisor = 8, kFullDivisor = 4;
constexpr double kQuickSeconds = 1, kFullSeconds = 16;  // of arrivals at each rate

// Rates of a measured curve, as shares of what the simulation of this machine sustains: around where the
// curve turns.
constexpr double kQuickShares[] = {0.9, 1.8};
constexpr double kFullShares[] = {0.5, 0.75, 0.9, 1.05, 1.25};

// Where a measured curve has not reached the limit by then, it goes on by this factor.
constexpr double kFactorBeyond = 1.5;
constexpr size_t kMostBeyond = 6;

// Five examples, a sentence of 20 tokens, and as many answered.
constexpr int32_t kPrefixTokens = 341, kSentenceTokens = 20;
constexpr int32_t kQuickSentences = 16, kFullSentences = 128;

// Requests of a burst that preempts, with the trace's lengths divided by so much: in all they need over five
// times its pool, and grow much once they are in.
constexpr int32_t kBurst = 32, kBurstDivisor = 2;

// Those that the engine takes.
constexpr int32_t kBlockSizes[] = {8, 16, 32, 64, 128};

constexpr AttentionSizes kAttention[] = {{1, 256},   {8, 256},  {32, 256}, {1, 1024}, {8, 1024},
                                         {32, 1024}, {1, 4096}, {8, 4096}, {32, 4096}};

}  // namespace

MeasuredStages::MeasuredStages(const PaperOptions& options, MeasuredMachine machine, PaperResults& results)
    : options_(options), machine_(std::move(machine)), results_(results) {
  results_.num_threads = machine_.num_threads();
}

void MeasuredStages::plan(Stages& stages) {
  const bool quick = options_.quick;
  const double curve = quick ? 8 : 110;
  stages.add(fmt::format("{}: a cost model of this machine", machine_.name()), quick ? 6 : 30,
             [this] { return fit_costs(); });
  for (const AllocationPolicy policy : kAllocationPolicies) {
    const bool compared = policy == AllocationPolicy::kPaged || policy == AllocationPolicy::kReserveMax;
    if (quick && !compared) continue;
    stages.add(fmt::format("{} on this machine: {}", kShareGpt.name, to_string(policy)), curve,
               [=, this] { return measure_curve(policy); });
  }
  stages.add("A prefix of all requests on this machine", curve / 2,
             [this] { return measure_prefix_speedup(); });
  stages.add("Recovery on this machine", curve / 10, [this] { return measure_recovery(); });
  stages.add("Attention on this machine", curve / 10, [this] { return measure_attention(); });
  if (!quick) plan_long_ones(stages, curve);
}

void MeasuredStages::plan_long_ones(Stages& stages, double curve) {
  for (const int32_t block_size : kBlockSizes) {
    stages.add(fmt::format("Blocks of {} on this machine", block_size), curve / 5,
               [=, this] { return measure_block_size(block_size); });
  }
  stages.add("Beams on this machine", curve, [this] { return measure_beam_sharing(); });
  for (const int32_t block_size : kBlockSizes) {
    for (const bool swaps : {false, true}) {
      stages.add(fmt::format("Preemption by {}, blocks of {}, on this machine",
                             swaps ? "swap" : "recompute", block_size),
                 curve / 8, [=, this] { return measure_preemption(block_size, swaps); });
    }
  }
}

Expected<> MeasuredStages::fit_costs() {
  CostFit fit;
  if (options_.cost_model) {
    fit.model = *options_.cost_model;
  } else {
    const auto steps = machine_.time_steps(options_.quick);
    if (!steps) return std::unexpected(steps.error());
    auto fitted = fit_cost_model(machine_.name() + " on this machine",
                                 fmt::format("fitted to {} timed steps", steps->size()), *steps);
    if (!fitted) return std::unexpected(fitted.error());
    fit = std::move(*fitted);
  }
  results_.costs.push_back(fit);
  // What is measured afterwards, simulated: it tells which rates are worth measuring.
  const CurvePace pace = options_.quick ? CurvePace{.trace_s = 200, .factor = 1.3, .most = 40}
                                        : CurvePace{.trace_s = 600, .factor = 1.15, .most = 60};
  auto predicted = simulate_curves(machine_.simulated(fit.model), short_trace(), {}, pace, options_.seed);
  if (!predicted) return std::unexpected(predicted.error());
  CurveSet measured = *predicted;
  measured.measured = true;
  measured.curves.clear();
  predicted_ = results_.curves.size();
  measured_ = predicted_ + 1;
  results_.curves.push_back(std::move(*predicted));
  results_.curves.push_back(std::move(measured));
  return {};
}

TraceSpec MeasuredStages::short_trace() const {
  TraceSpec trace = kShareGpt;
  trace.divisor = options_.quick ? kQuickDivisor : kFullDivisor;
  return trace;
}

Expected<> MeasuredStages::measure_curve(AllocationPolicy policy) {
  const double expected_rate = results_.curves[predicted_].find(policy)->sustained.rate;
  CurveSet& measured = results_.curves[measured_];
  PolicyCurve curve{.policy = policy, .points = {}, .sustained = {}};
  const std::span<const double> shares =
      options_.quick ? std::span<const double>(kQuickShares) : std::span<const double>(kFullShares);
  for (size_t i = 0; i < shares.size() + kMostBeyond; ++i) {
    const size_t beyond = i < shares.size() ? 0 : i - shares.size() + 1;
    const double share = shares[std::min(i, shares.size() - 1)] * std::pow(kFactorBeyond, beyond);
    auto point = measure_point(policy, share * expected_rate);
    if (!point) return std::unexpected(point.error());
    curve.points.push_back(*point);
    if (point->normalized_latency_s > measured.limit_s) break;
  }
  curve.sustained = sustained_rate(curve.points, measured.limit_s);
  measured.curves.push_back(std::move(curve));
  return {};
}

Expected<RatePoint> MeasuredStages::measure_point(AllocationPolicy policy, double rate) const {
  const double seconds = options_.quick ? kQuickSeconds : kFullSeconds;
  const auto items = make_trace(short_trace(), rate, seconds, machine_.vocab_size(), options_.seed);
  const auto run = machine_.run({.policy = policy}, items);
  if (!run) return std::unexpected(run.error());
  const double limit_s = results_.curves[measured_].limit_s;
  return summarize(*run, rate, {.ttft_s = kLatencyMultiple * limit_s, .tpot_s = limit_s});
}

Expected<> MeasuredStages::measure_prefix_speedup() {
  WorkloadSpec spec =
      trace_workload(translation(kPrefixTokens), 1, 1, machine_.vocab_size(), options_.seed);
  spec.num_prompts = options_.quick ? kQuickSentences : kFullSentences;
  spec.request_rate = std::numeric_limits<double>::infinity();
  spec.input_len = spec.output_len = {.median = kSentenceTokens};
  const auto items = make_workload(spec);
  PrefixSpeedup speedup{
      .machine = machine_.name() + " on this machine",
      .workload = fmt::format("{} requests at once: {} tokens of all and {} of its own in, {} out",
                              items.size(), kPrefixTokens, kSentenceTokens, kSentenceTokens)};
  for (const bool on : {true, false}) {
    const auto run = machine_.run({.prefix_cache = on}, items);
    if (!run) return std::unexpected(run.error());
    (on ? speedup.rate_on : speedup.rate_off) = static_cast<double>(items.size()) / run->elapsed_s;
  }
  results_.prefix_speedup = std::move(speedup);
  return {};
}

// At a rate that paging bears well with blocks of 16.
Expected<> MeasuredStages::measure_block_size(int32_t block_size) {
  const CurveSet& measured = results_.curves[measured_];
  const double rate = 0.7 * measured.find(AllocationPolicy::kPaged)->sustained.rate;
  const auto items =
      make_trace(short_trace(), rate, kFullSeconds / 2, machine_.vocab_size(), options_.seed);
  const auto run = machine_.run({.block_size = block_size}, items);
  if (!run) return std::unexpected(run.error());
  results_.block_sizes.push_back({.machine = measured.machine,
                                  .workload = measured.workload,
                                  .measured = true,
                                  .block_size = block_size,
                                  .rate = rate,
                                  .normalized_latency_s = summarize(*run, rate, {}).normalized_latency_s,
                                  .waste = run->waste});
  return {};
}

// The model's own candidates beside those that the simulation draws, for the same requests.
Expected<> MeasuredStages::measure_beam_sharing() {
  const CurveSet& measured = results_.curves[measured_];
  const double rate = 0.5 * measured.find(AllocationPolicy::kPaged)->sustained.rate;
  const SimulatedMachine simulated = machine_.simulated(results_.costs.back().model);
  auto rows = simulate_sharing(simulated, short_trace(), true, rate, kFullSeconds, options_.seed);
  if (!rows) return std::unexpected(rows.error());
  for (SharingRow& row : *rows) {
    const auto items =
        make_trace(short_trace(), row.rate, kFullSeconds, machine_.vocab_size(), options_.seed);
    const auto run = machine_.run({.n = row.width, .beams = true}, items);
    if (!run) return std::unexpected(run.error());
    results_.sharing.push_back(row);
    row.measured = true;
    row.saved = run->shared;
    results_.sharing.push_back(row);
  }
  return {};
}

Expected<> MeasuredStages::measure_recovery() {
  const auto recompute_s = machine_.time_recompute(kRecoveredTokens, options_.quick ? 4 : 16);
  if (!recompute_s) return std::unexpected(recompute_s.error());
  if (auto added = add_recovery("memory", "", *recompute_s); !added) return added;
  const std::string& dir = options_.engine.swap_dir;
  return dir.empty() ? Expected<>() : add_recovery("a file", dir, *recompute_s);
}

Expected<> MeasuredStages::add_recovery(const std::string& place, const std::string& dir,
                                        double recompute_s) {
  auto rows =
      compare_recovery({.machine = fmt::format("{} on this machine, swapped to {}", machine_.name(), place),
                        .num_tokens = kRecoveredTokens,
                        .recompute_s = recompute_s},
                       kBlockSizes, [&](int32_t block_size, int32_t num_blocks) {
                         return machine_.time_swap(block_size, num_blocks, dir);
                       });
  if (!rows) return std::unexpected(rows.error());
  std::ranges::move(*rows, std::back_inserter(results_.recovery));
  return {};
}

// The same requests, all at once, with either way to recover.
Expected<> MeasuredStages::measure_preemption(int32_t block_size, bool swaps) {
  TraceSpec trace = kShareGpt;
  trace.divisor = kBurstDivisor;
  WorkloadSpec spec = trace_workload(trace, 1, 1, machine_.vocab_size(), options_.seed);
  spec.num_prompts = kBurst;
  spec.request_rate = std::numeric_limits<double>::infinity();
  const auto items = make_workload(spec);
  const auto run = machine_.run({.block_size = block_size, .overloaded = true, .swaps = swaps}, items);
  if (!run) return std::unexpected(run.error());
  results_.preemption.push_back(
      {.machine = machine_.name() + " on this machine",
       .workload = fmt::format("{} requests of {} at once into {} tokens", items.size(), describe(trace),
                               MeasuredMachine::kOverloadedTokens),
       .block_size = block_size,
       .swaps = swaps,
       .elapsed_s = run->elapsed_s,
       .normalized_latency_s = summarize(*run, 0, {}).normalized_latency_s,
       .num_preemptions = run->num_preemptions});
  return {};
}

Expected<> MeasuredStages::measure_attention() {
  for (const AttentionSizes& sizes : kAttention) {
    if (options_.quick && sizes.context_len > 1024) continue;
    auto row = machine_.time_attention(sizes, 16);
    if (!row) return std::unexpected(row.error());
    results_.attention.push_back(*row);
  }
  return {};
}

}  // namespace quire
