// `quire bench paper`: the evaluation of the PagedAttention paper (Kwon et al. 2023, section 6) with the
// paper's rivals in the same engine. At the paper's scale it is simulated: OPT-13B on an A100, and this
// machine by a cost model that short runs are fitted to. What this machine can do itself is measured.
//
// Policies are compared by the rate of requests that each sustains: at which the mean normalized latency
// reaches kLatencyMultiple times that of an engine that has one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/paper_machine.h"
#include "bench/paper_results.h"
#include "bench/trace.h"

namespace quire {

inline constexpr double kLatencyMultiple = 10;

struct PaperOptions {
  bool quick = false;
  int64_t seed = 0;
  bool measure = true;  // run the model too, rather than only simulate
  EngineConfig engine;  // of the runs that are measured
  // This machine's cost model, instead of fitting one; also where nothing is measured.
  std::optional<CostModel> cost_model;
};

// Told before each stage: its number from 1, how many there are, its name, and how many seconds are left
// (as far as is known; negative: not at all).
struct PaperStage {
  int number = 0, count = 0;
  std::string name;
  double seconds_left = -1;
};
using PaperProgress = std::function<void(const PaperStage&)>;

// Errors: those of opening the model, and of a run that fails.
Expected<PaperResults> run_paper(const PaperOptions& options, const PaperProgress& progress,
                                 const Clock& clock);

// How thoroughly curves are measured.
struct CurvePace {
  double trace_s = 0;  // of arrivals at each rate
  double factor = 0;   // from one rate to the next
  int most = 0;        // points of one curve
};

// The parts of it, on a simulated machine.
struct IdleEngine {
  double normalized_latency_s = 0;
  double request_s = 0;  // mean time of a request from its arrival to its end
};
Expected<IdleEngine> simulate_idle(const SimulatedMachine& machine, const TraceSpec& trace, int64_t seed);
Expected<CurveSet> simulate_curves(const SimulatedMachine& machine, const TraceSpec& trace, int32_t n,
                                   const CurvePace& pace, int64_t seed);
// At a rate beyond what any policy sustains, so that requests always wait.
Expected<std::vector<MemoryRow>> simulate_memory(const SimulatedMachine& machine, const TraceSpec& trace,
                                                 double rate, double trace_s, int64_t seed);
// Of each width, at a rate of requests that leaves the machine with time to spare.
Expected<std::vector<SharingRow>> simulate_parallel(const SimulatedMachine& machine, const TraceSpec& trace,
                                                    double rate, double trace_s, int64_t seed);
Expected<std::vector<BlockSizeRow>> simulate_block_sizes(const TraceSpec& trace, double rate,
                                                         double trace_s, int64_t seed);

}  // namespace quire
