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
#include "bench/stages.h"
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

using PaperProgress = std::function<void(const StageProgress&)>;

// Errors: those of opening the model, and of a run that fails.
Expected<PaperResults> run_paper(const PaperOptions& options, const PaperProgress& progress,
                                 const Clock& clock);

// How thoroughly curves are measured.
struct CurvePace {
  double trace_s = 0;  // of arrivals at each rate
  double factor = 0;   // from one rate to the next
  int most = 0;        // points of one curve
};

// What becomes of a request.
struct Decoding {
  int32_t n = 1;       // sequences
  bool beams = false;  // of a beam search
};

// The parts of it, on a simulated machine.
struct IdleEngine {
  double normalized_latency_s = 0;
  double request_s = 0;  // mean time of a request from its arrival to its end
};
Expected<IdleEngine> simulate_idle(const SimulatedMachine& machine, const TraceSpec& trace, int64_t seed);
// Of all policies; where requests share prefixes, of paging with a prefix cache too. The limit is that of
// requests of a single sequence, whatever `decoding` says.
Expected<CurveSet> simulate_curves(const SimulatedMachine& machine, const TraceSpec& trace,
                                   const Decoding& decoding, const CurvePace& pace, int64_t seed);
// At a rate beyond what any policy sustains, so that requests always wait.
Expected<std::vector<MemoryRow>> simulate_memory(const SimulatedMachine& machine, const TraceSpec& trace,
                                                 double rate, double trace_s, int64_t seed);
// By 2, 4 and 6 samples or beams a request; `rate` is of sequences, and should leave the machine with time
// to spare.
Expected<std::vector<SharingRow>> simulate_sharing(const SimulatedMachine& machine, const TraceSpec& trace,
                                                   bool beams, double rate, double trace_s, int64_t seed);
// On the paper's machine, blocks of 1 to 256.
Expected<std::vector<BlockSizeRow>> simulate_block_sizes(const TraceSpec& trace, double rate,
                                                         double trace_s, int64_t seed);
// The same machine: recomputed at its cost model's pace, swapped over its link to the host.
Expected<std::vector<RecoveryRow>> simulate_recovery(int32_t num_tokens);

}  // namespace quire
