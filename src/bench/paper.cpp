#include "bench/paper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/machine.h"

namespace quire {
namespace {

// The measured runs' lengths are the trace's divided by so much, for time's sake.
constexpr int32_t kQuickDivisor = 8, kFullDivisor = 4;

// Rates of a measured curve, as shares of what the simulation of this machine sustains: around where the
// curve turns.
constexpr double kQuickShares[] = {0.7, 1.4};
constexpr double kFullShares[] = {0.4, 0.6, 0.8, 0.9, 1.0, 1.15, 1.35};

// Where a measured curve has not reached the limit by then, it goes on by this factor.
constexpr double kFactorBeyond = 1.5;
constexpr size_t kMostBeyond = 6;

// The paper's traces are of an hour.
CurvePace pace_of(bool quick) {
  return quick ? CurvePace{.trace_s = 240, .factor = 1.4, .most = 20}
               : CurvePace{.trace_s = 3600, .factor = 1.12, .most = 60};
}

// Runs stages one after the other and tells how far they are.
class Stages {
 public:
  using Work = std::function<Expected<>()>;

  // `estimate` is in seconds, or in any unit that is the same for all.
  void add(std::string name, double estimate, Work work) {
    stages_.push_back({std::move(name), estimate, std::move(work)});
  }

  Expected<> run(const PaperProgress& progress, const Clock& clock) const {
    double total = 0, done = 0;
    for (const Stage& stage : stages_) total += stage.estimate;
    const int64_t start_ns = clock.now_ns();
    for (size_t i = 0; i < stages_.size(); ++i) {
      const double elapsed_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
      progress({.number = static_cast<int>(i + 1),
                .count = static_cast<int>(stages_.size()),
                .name = stages_[i].name,
                .seconds_left = done > 0 ? elapsed_s * (total - done) / done : -1});
      if (auto worked = stages_[i].work(); !worked) return worked;
      done += stages_[i].estimate;
    }
    return {};
  }

 private:
  struct Stage {
    std::string name;
    double estimate;
    Work work;
  };
  std::vector<Stage> stages_;
};

class Evaluation {
 public:
  explicit Evaluation(const PaperOptions& options) : options_(options), pace_(pace_of(options.quick)) {
    results_.quick = options.quick;
  }

  Expected<PaperResults> run(const PaperProgress& progress, const Clock& clock) {
    if (options_.measure) {
      auto machine = MeasuredMachine::open(options_.engine);
      if (!machine) return std::unexpected(machine.error());
      here_ = std::move(*machine);
      results_.num_threads = here_->num_threads();
    }
    Stages stages;
    plan_simulations(stages);
    if (here_) plan_measurements(stages);
    if (auto done = stages.run(progress, clock); !done) return std::unexpected(done.error());
    if (!measured_.curves.empty()) results_.curves.push_back(std::move(measured_));
    return std::move(results_);
  }

 private:
  void plan_simulations(Stages& stages) {
    const SimulatedMachine a100 = paper_machine();
    results_.costs.push_back({.model = a100.cost});
    const double unit = options_.quick ? 1 : 60;
    for (const TraceSpec* trace : {&kShareGpt, &kAlpaca}) {
      for (const int32_t n : {1, 2, 4, 6}) {
        if (options_.quick && n > 1 && n < 6) continue;
        stages.add(fmt::format("{} at {}: rates, n = {}", trace->name, a100.cost.name, n), unit,
                   [=, this] { return add_curves(a100, *trace, n); });
      }
      stages.add(fmt::format("{} at {}: sharing", trace->name, a100.cost.name), unit / 4,
                 [=, this] { return add_sharing(a100, *trace); });
      stages.add(fmt::format("{} at {}: memory", trace->name, a100.cost.name), unit / 4,
                 [=, this] { return add_memory(a100, *trace); });
    }
    stages.add(fmt::format("{} at {}: block sizes", kShareGpt.name, a100.cost.name), unit / 4,
               [this] { return add_block_sizes(); });
  }

  void plan_measurements(Stages& stages) {
    const double unit = options_.quick ? 8 : 400;
    stages.add(fmt::format("{}: a cost model of this machine", here_->name()), unit,
               [this] { return fit_costs(); });
    for (const AllocationPolicy policy : kAllocationPolicies) {
      const bool compared = policy == AllocationPolicy::kPaged || policy == AllocationPolicy::kReserveMax;
      if (options_.quick && !compared) continue;
      stages.add(fmt::format("{} on this machine: {}", kShareGpt.name, to_string(policy)), unit,
                 [=, this] { return measure_curve(policy); });
    }
  }

  Expected<> add_curves(const SimulatedMachine& machine, const TraceSpec& trace, int32_t n) {
    auto set = simulate_curves(machine, trace, n, pace_, options_.seed);
    if (!set) return std::unexpected(set.error());
    results_.curves.push_back(std::move(*set));
    return {};
  }

  // Twice the rate that paging sustains, by the curves that came before.
  Expected<> add_memory(const SimulatedMachine& machine, const TraceSpec& trace) {
    auto rows = simulate_memory(machine, trace, 2 * paged_rate(trace), pace_.trace_s / 4, options_.seed);
    if (!rows) return std::unexpected(rows.error());
    std::ranges::move(*rows, std::back_inserter(results_.memory));
    return {};
  }

  Expected<> add_sharing(const SimulatedMachine& machine, const TraceSpec& trace) {
    auto rows = simulate_parallel(machine, trace, paged_rate(trace) / 2, pace_.trace_s, options_.seed);
    if (!rows) return std::unexpected(rows.error());
    std::ranges::move(*rows, std::back_inserter(results_.sharing));
    return {};
  }

  Expected<> add_block_sizes() {
    auto rows = simulate_block_sizes(kShareGpt, paged_rate(kShareGpt), pace_.trace_s / 4, options_.seed);
    if (!rows) return std::unexpected(rows.error());
    results_.block_sizes = std::move(*rows);
    return {};
  }

  double paged_rate(const TraceSpec& trace) const {
    for (const CurveSet& set : results_.curves) {
      const PolicyCurve* paged = set.find(AllocationPolicy::kPaged);
      if (!set.measured && set.n == 1 && set.workload == describe(trace) && paged != nullptr) {
        return paged->sustained.rate;
      }
    }
    return 1;
  }

  Expected<> fit_costs() {
    CostFit fit;
    if (options_.cost_model) {
      fit.model = *options_.cost_model;
    } else {
      const auto steps = here_->time_steps(options_.quick);
      if (!steps) return std::unexpected(steps.error());
      auto fitted = fit_cost_model(here_->name() + " on this machine",
                                   fmt::format("fitted to {} timed steps", steps->size()), *steps);
      if (!fitted) return std::unexpected(fitted.error());
      fit = std::move(*fitted);
    }
    results_.costs.push_back(fit);
    const SimulatedMachine machine = here_->simulated(fit.model);
    // What is measured afterwards, simulated: it tells which rates are worth measuring.
    auto predicted = simulate_curves(machine, short_trace(), 1,
                                     {.trace_s = 600, .factor = 1.15, .most = 60}, options_.seed);
    if (!predicted) return std::unexpected(predicted.error());
    results_.curves.push_back(*predicted);
    CurveSet measured = *predicted;
    measured.measured = true;
    measured.curves.clear();
    measured_ = std::move(measured);
    return {};
  }

  TraceSpec short_trace() const {
    TraceSpec trace = kShareGpt;
    trace.divisor = options_.quick ? kQuickDivisor : kFullDivisor;
    return trace;
  }

  Expected<> measure_curve(AllocationPolicy policy) {
    const CurveSet& predicted = results_.curves.back();
    const double expected_rate = predicted.find(policy)->sustained.rate;
    PolicyCurve curve{.policy = policy, .points = {}, .sustained = {}};
    const std::span<const double> shares =
        options_.quick ? std::span<const double>(kQuickShares) : std::span<const double>(kFullShares);
    for (size_t i = 0; i < shares.size() + kMostBeyond; ++i) {
      const size_t beyond = i < shares.size() ? 0 : i - shares.size() + 1;
      const double share = shares[std::min(i, shares.size() - 1)] * std::pow(kFactorBeyond, beyond);
      auto point = measure_point(policy, share * expected_rate);
      if (!point) return std::unexpected(point.error());
      curve.points.push_back(*point);
      if (point->normalized_latency_s > measured_.limit_s) break;
    }
    curve.sustained = sustained_rate(curve.points, measured_.limit_s);
    measured_.curves.push_back(std::move(curve));
    return {};
  }

  Expected<RatePoint> measure_point(AllocationPolicy policy, double rate) const {
    const double seconds = options_.quick ? 3 : 45;
    const auto items =
        make_workload(trace_workload(short_trace(), rate, seconds, here_->vocab_size(), options_.seed));
    const auto run = here_->run({.policy = policy}, items);
    if (!run) return std::unexpected(run.error());
    const Objectives objectives{.ttft_s = kLatencyMultiple * measured_.limit_s,
                                .tpot_s = measured_.limit_s};
    return summarize(*run, rate, objectives);
  }

  const PaperOptions options_;
  const CurvePace pace_;
  std::optional<MeasuredMachine> here_;
  CurveSet measured_;  // under way
  PaperResults results_;
};

}  // namespace

Expected<PaperResults> run_paper(const PaperOptions& options, const PaperProgress& progress,
                                 const Clock& clock) {
  return Evaluation(options).run(progress, clock);
}

}  // namespace quire
