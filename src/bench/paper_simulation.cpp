// The parts of the evaluation that are simulated.
#include <algorithm>

#include "bench/paper.h"
#include "bench/statistics.h"

namespace quire {
namespace {

// Prompts are of any tokens here: only their number counts.
constexpr int32_t kVocabSize = 50'000;
constexpr double kIdleRate = 1e-3;  // requests a second: one at a time on any machine
constexpr int kIdleRequests = 300;

}  // namespace

Expected<IdleEngine> simulate_idle(const SimulatedMachine& machine, const TraceSpec& trace, int64_t seed) {
  const auto items =
      make_workload(trace_workload(trace, kIdleRate, kIdleRequests / kIdleRate, kVocabSize, seed));
  const auto run = simulate_trace(machine, {}, items);
  if (!run) return std::unexpected(run.error());
  std::vector<double> latencies, times;
  for (const RequestTimes& request : run->requests) {
    latencies.push_back(request.normalized_latency_s());
    times.push_back(request.end_s - request.arrival_s);
  }
  return IdleEngine{.normalized_latency_s = mean(latencies), .request_s = mean(times)};
}

Expected<CurveSet> simulate_curves(const SimulatedMachine& machine, const TraceSpec& trace, int32_t n,
                                   const CurvePace& pace, int64_t seed) {
  const auto idle = simulate_idle(machine, trace, seed);
  if (!idle) return std::unexpected(idle.error());
  CurveSet set{.machine = machine.cost.name,
               .workload = describe(trace),
               .measured = false,
               .n = n,
               .limit_s = kLatencyMultiple * idle->normalized_latency_s,
               .curves = {}};
  const Objectives objectives{.ttft_s = kLatencyMultiple * set.limit_s, .tpot_s = set.limit_s};
  for (const AllocationPolicy policy : kAllocationPolicies) {
    const auto measure = [&](double rate) -> Expected<RatePoint> {
      const auto items = make_workload(trace_workload(trace, rate, pace.trace_s, kVocabSize, seed));
      const auto run = simulate_trace(machine, {.policy = policy, .block_size = 16, .n = n}, items);
      if (!run) return std::unexpected(run.error());
      return summarize(*run, rate, objectives);
    };
    auto points = climb(0.5 / idle->request_s / n, pace.factor, pace.most, set.limit_s, measure);
    if (!points) return std::unexpected(points.error());
    const SustainedRate sustained = sustained_rate(*points, set.limit_s);
    set.curves.push_back({.policy = policy, .points = std::move(*points), .sustained = sustained});
  }
  return set;
}

Expected<std::vector<MemoryRow>> simulate_memory(const SimulatedMachine& machine, const TraceSpec& trace,
                                                 double rate, double trace_s, int64_t seed) {
  const auto items = make_workload(trace_workload(trace, rate, trace_s, kVocabSize, seed));
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

Expected<std::vector<SharingRow>> simulate_parallel(const SimulatedMachine& machine, const TraceSpec& trace,
                                                    double rate, double trace_s, int64_t seed) {
  std::vector<SharingRow> rows;
  for (const int32_t width : {2, 4, 6}) {
    const double each = rate / width;
    const auto items = make_workload(trace_workload(trace, each, trace_s, kVocabSize, seed));
    const auto run = simulate_trace(machine, {.n = width}, items);
    if (!run) return std::unexpected(run.error());
    rows.push_back({.machine = machine.cost.name,
                    .workload = describe(trace),
                    .method = "parallel",
                    .width = width,
                    .rate = each,
                    .saved = run->shared});
  }
  return rows;
}

Expected<std::vector<BlockSizeRow>> simulate_block_sizes(const TraceSpec& trace, double rate,
                                                         double trace_s, int64_t seed) {
  const auto items = make_workload(trace_workload(trace, rate, trace_s, kVocabSize, seed));
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

}  // namespace quire
