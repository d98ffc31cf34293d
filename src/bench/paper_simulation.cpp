// The parts of the evaluation that are simulated.
#include <algorithm>

#include "bench/paper.h"
#include "bench/recovery.h"
#include "bench/statistics.h"

namespace quire {
namespace {

// Prompts are of any tokens here: only their number counts.
constexpr int32_t kVocabSize = 50'000;
constexpr double kIdleRate = 1e-3;  // requests a second: one at a time on any machine
constexpr int kIdleRequests = 300;

}  // namespace

Expected<IdleEngine> simulate_idle(const SimulatedMachine& machine, const TraceSpec& trace, int64_t seed) {
  const auto items = make_trace(trace, kIdleRate, kIdleRequests / kIdleRate, kVocabSize, seed);
  const auto run = simulate_trace(machine, {}, items);
  if (!run) return std::unexpected(run.error());
  std::vector<double> latencies, times;
  for (const RequestTimes& request : run->requests) {
    latencies.push_back(request.normalized_latency_s());
    times.push_back(request.end_s - request.arrival_s);
  }
  return IdleEngine{.normalized_latency_s = mean(latencies), .request_s = mean(times)};
}

Expected<CurveSet> simulate_curves(const SimulatedMachine& machine, const TraceSpec& trace,
                                   const Decoding& decoding, const CurvePace& pace, int64_t seed) {
  const auto idle = simulate_idle(machine, trace, seed);
  if (!idle) return std::unexpected(idle.error());
  CurveSet set{.machine = machine.cost.name,
               .workload = describe(trace),
               .measured = false,
               .n = decoding.n,
               .beams = decoding.beams,
               .limit_s = kLatencyMultiple * idle->normalized_latency_s,
               .curves = {}};
  const Objectives objectives{.ttft_s = kLatencyMultiple * set.limit_s, .tpot_s = set.limit_s};
  const auto add = [&](const PaperSetting& setting) -> Expected<> {
    const auto measure = [&](double rate) -> Expected<RatePoint> {
      const auto items = make_trace(trace, rate, pace.trace_s, kVocabSize, seed);
      const auto run = simulate_trace(machine, setting, items);
      if (!run) return std::unexpected(run.error());
      return summarize(*run, rate, objectives);
    };
    auto points = climb(0.5 / idle->request_s / decoding.n, pace.factor, pace.most, set.limit_s, measure);
    if (!points) return std::unexpected(points.error());
    const SustainedRate sustained = sustained_rate(*points, set.limit_s);
    set.curves.push_back({.policy = setting.policy,
                          .prefix_cache = setting.prefix_cache,
                          .points = std::move(*points),
                          .sustained = sustained});
    return {};
  };
  PaperSetting setting{.n = decoding.n, .beams = decoding.beams};
  for (const AllocationPolicy policy : kAllocationPolicies) {
    setting.policy = policy;
    if (auto added = add(setting); !added) return std::unexpected(added.error());
  }
  if (!trace.shares_prefixes()) return set;
  setting.policy = AllocationPolicy::kPaged;
  setting.prefix_cache = true;
  if (auto added = add(setting); !added) return std::unexpected(added.error());
  return set;
}

Expected<std::vector<MemoryRow>> simulate_memory(const SimulatedMachine& machine, const TraceSpec& trace,
                                                 double rate, double trace_s, int64_t seed) {
  const auto items = make_trace(trace, rate, trace_s, kVocabSize, seed);
  std::vector<MemoryRow> rows;
  for (const AllocationPolicy policy : kAllocationPolicies) {
    const auto run = simulate_trace(machine, {.policy = policy}, items);
    if (!run) return std::unexpected(run.error());
    rows.push_back({.machine = machine.cost.name,
                    .workload = describe(trace),
                    .policy = policy,
                    .rate = rate,
                    .use = run->memory,
                    .waste = run->waste,
                    .num_running = run->num_running});
  }
  return rows;
}

Expected<std::vector<SharingRow>> simulate_sharing(const SimulatedMachine& machine, const TraceSpec& trace,
                                                   bool beams, double rate, double trace_s, int64_t seed) {
  std::vector<SharingRow> rows;
  for (const int32_t width : {2, 4, 6}) {
    const double each = rate / width;
    const auto items = make_trace(trace, each, trace_s, kVocabSize, seed);
    const auto run = simulate_trace(machine, {.n = width, .beams = beams}, items);
    if (!run) return std::unexpected(run.error());
    rows.push_back({.machine = machine.cost.name,
                    .workload = describe(trace),
                    .method = beams ? "beam" : "parallel",
                    .width = width,
                    .rate = each,
                    .saved = run->shared});
  }
  return rows;
}

Expected<std::vector<BlockSizeRow>> simulate_block_sizes(const TraceSpec& trace, double rate,
                                                         double trace_s, int64_t seed) {
  const auto items = make_trace(trace, rate, trace_s, kVocabSize, seed);
  std::vector<BlockSizeRow> rows;
  for (int32_t block_size = 1; block_size <= 256; block_size *= 2) {
    const SimulatedMachine machine = paper_machine(block_size);
    const auto run = simulate_trace(machine, {.block_size = block_size}, items);
    if (!run) return std::unexpected(run.error());
    const RatePoint point = summarize(*run, rate, {});
    rows.push_back({.machine = machine.cost.name,
                    .workload = describe(trace),
                    .block_size = block_size,
                    .rate = rate,
                    .normalized_latency_s = point.normalized_latency_s,
                    .waste = run->waste});
  }
  return rows;
}

Expected<std::vector<RecoveryRow>> simulate_recovery(int32_t num_tokens) {
  // PCIe 4.0 with 16 lanes, and what a driver takes to begin a copy.
  const LinkSpec link{.bytes_per_s = 32e9, .share = 0.8, .copy_s = 5e-6};
  const CostModel cost = paper_machine().cost;
  const int64_t tokens = num_tokens;
  const StepWork prefill{.tokens = tokens, .samples = 1, .pairs = tokens * (tokens + 1) / 2};
  constexpr int32_t kBlockSizes[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  return compare_recovery(
      {.machine = cost.name, .num_tokens = num_tokens, .recompute_s = cost.seconds(prefill)}, kBlockSizes,
      [&](int32_t block_size, int32_t num_blocks) -> Expected<SwapTiming> {
        return link_swap_timing(link, opt_13b(), block_size, num_blocks);
      });
}

}  // namespace quire
