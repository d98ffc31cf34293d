// What `quire bench paper` simulates at the paper's scale, as stages.
#pragma once

#include "bench/paper.h"

namespace quire {

class SimulatedStages {
 public:
  // `results` outlives the stages, which add to it.
  SimulatedStages(bool quick, int64_t seed, PaperResults& results);

  void plan(Stages& stages);

 private:
  void plan_trace(const TraceSpec& trace, Stages& stages);
  Expected<> add_curves(const TraceSpec& trace, const Decoding& decoding, const CurvePace& pace);
  Expected<> add_memory(const TraceSpec& trace);
  Expected<> add_sharing(const TraceSpec& trace, bool beams);
  Expected<> add_block_sizes(const TraceSpec& trace);
  Expected<> add_recovery();
  // What paging sustains of the trace, by the curves that came before.
  double paged_rate(const TraceSpec& trace) const;

  const bool quick_;
  const int64_t seed_;
  const SimulatedMachine machine_;
  PaperResults& results_;
};

}  // namespace quire
