#include "bench/simulated_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace quire {
namespace {

// The paper's traces are of an hour.
constexpr CurvePace kPace{.trace_s = 3600, .factor = 1.2, .most = 60};
constexpr CurvePace kQuickPace{.trace_s = 240, .factor = 1.5, .most = 20};
// Of beams, whose steps take the scheduler many times as long.
constexpr CurvePace kBeamPace{.trace_s = 600, .factor = 1.3, .most = 40};
constexpr CurvePace kQuickBeamPace{.trace_s = 60, .factor = 1.6, .most = 20};
// Conversations take their time.
constexpr CurvePace kQuickChatPace{.trace_s = 900, .factor = 1.4, .most = 20};
// Shares of blocks are averages of uneven requests, and cheap.
constexpr double kSharingSeconds = 3600, kQuickSharingSeconds = 1200, kQuickBeamSharingSeconds = 300;

constexpr int32_t kWidths[] = {2, 4, 6};

// Seconds of a trace: fewer where requests are short, so that it has as many of them, and more.
double scaled(double trace_s, const TraceSpec& trace) {
  return trace.mean_output < 100 ? trace_s / 4 : trace_s;
}

CurvePace scaled(CurvePace pace, const TraceSpec& trace) {
  pace.trace_s = scaled(pace.trace_s, trace);
  return pace;
}

}  // namespace

SimulatedStages::SimulatedStages(bool quick, int64_t seed, PaperResults& results)
    : quick_(quick), seed_(seed), machine_(paper_machine()), results_(results) {}

void SimulatedStages::plan(Stages& stages) {
  results_.costs.push_back({.model = machine_.cost});
  for (const TraceSpec& trace : {kShareGpt, kAlpaca}) plan_trace(trace, stages);
  const double unit = quick_ ? 1 : 10;
  for (const int32_t prefix_len : {80, 341}) {
    const TraceSpec trace = translation(prefix_len);
    stages.add(fmt::format("{} at {}", describe(trace), machine_.cost.name), unit,
               [this, trace] { return add_curves(trace, {}, quick_ ? kQuickPace : kBeamPace); });
  }
  stages.add(fmt::format("{} at {}", kChat.name, machine_.cost.name), unit,
             [this] { return add_curves(kChat, {}, quick_ ? kQuickChatPace : kPace); });
  stages.add(fmt::format("Recovery at {}", machine_.cost.name), 0.1, [this] { return add_recovery(); });
}

void SimulatedStages::plan_trace(const TraceSpec& trace, Stages& stages) {
  const double unit = quick_ ? 1 : 15;
  const auto name = [&](std::string_view what) {
    return fmt::format("{} at {}: {}", trace.name, machine_.cost.name, what);
  };
  for (const int32_t n : {1, 2, 4, 6}) {
    if (quick_ && n > 1 && n < 6) continue;
    stages.add(name(fmt::format("rates, n = {}", n)), unit,
               [=, this] { return add_curves(trace, {.n = n}, quick_ ? kQuickPace : kPace); });
  }
  for (const int32_t width : kWidths) {
    if (quick_ && width != 4) continue;
    stages.add(name(fmt::format("rates, {} beams", width)), 1.5 * unit, [=, this] {
      return add_curves(trace, {.n = width, .beams = true}, quick_ ? kQuickBeamPace : kBeamPace);
    });
  }
  stages.add(name("sharing by samples"), unit / 2, [=, this] { return add_sharing(trace, false); });
  stages.add(name("sharing by beams"), unit, [=, this] { return add_sharing(trace, true); });
  stages.add(name("memory"), unit / 4, [=, this] { return add_memory(trace); });
  stages.add(name("block sizes"), unit / 2, [=, this] { return add_block_sizes(trace); });
}

Expected<> SimulatedStages::add_curves(const TraceSpec& trace, const Decoding& decoding,
                                       const CurvePace& pace) {
  auto set = simulate_curves(machine_, trace, decoding, scaled(pace, trace), seed_);
  if (!set) return std::unexpected(set.error());
  results_.curves.push_back(std::move(*set));
  return {};
}

// At twice what paging sustains, so that requests always wait.
Expected<> SimulatedStages::add_memory(const TraceSpec& trace) {
  const double trace_s = scaled((quick_ ? kQuickPace : kPace).trace_s / 4, trace);
  auto rows = simulate_memory(machine_, trace, 2 * paged_rate(trace), trace_s, seed_);
  if (!rows) return std::unexpected(rows.error());
  std::ranges::move(*rows, std::back_inserter(results_.memory));
  return {};
}

Expected<> SimulatedStages::add_sharing(const TraceSpec& trace, bool beams) {
  const double trace_s = !quick_ ? kSharingSeconds
                         : beams ? kQuickBeamSharingSeconds
                                 : kQuickSharingSeconds;
  auto rows =
      simulate_sharing(machine_, trace, beams, paged_rate(trace) / 2, scaled(trace_s, trace), seed_);
  if (!rows) return std::unexpected(rows.error());
  std::ranges::move(*rows, std::back_inserter(results_.sharing));
  return {};
}

Expected<> SimulatedStages::add_block_sizes(const TraceSpec& trace) {
  const double trace_s = scaled((quick_ ? kQuickPace : kPace).trace_s / 4, trace);
  auto rows = simulate_block_sizes(trace, paged_rate(trace), trace_s, seed_);
  if (!rows) return std::unexpected(rows.error());
  std::ranges::move(*rows, std::back_inserter(results_.block_sizes));
  return {};
}

Expected<> SimulatedStages::add_recovery() {
  auto rows = simulate_recovery(kRecoveredTokens);
  if (!rows) return std::unexpected(rows.error());
  std::ranges::move(*rows, std::back_inserter(results_.recovery));
  return {};
}

double SimulatedStages::paged_rate(const TraceSpec& trace) const {
  for (const CurveSet& set : results_.curves) {
    const PolicyCurve* paged = set.find(AllocationPolicy::kPaged);
    if (!set.measured && set.n == 1 && set.workload == describe(trace) && paged != nullptr) {
      return paged->sustained.rate;
    }
  }
  return 1;
}

}  // namespace quire
