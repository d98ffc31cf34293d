// What `quire bench paper` measures with a model on this machine, as stages.
#pragma once

#include "bench/paper.h"

namespace quire {

class MeasuredStages {
 public:
  // `options` and `results` outlive the stages, which add to the results.
  MeasuredStages(const PaperOptions& options, MeasuredMachine machine, PaperResults& results);

  void plan(Stages& stages);

 private:
  void plan_long_ones(Stages& stages, double curve);
  Expected<> fit_costs();
  Expected<> measure_curve(AllocationPolicy policy);
  Expected<RatePoint> measure_point(AllocationPolicy policy, double rate) const;
  Expected<> measure_prefix_speedup();
  Expected<> measure_block_size(int32_t block_size);
  Expected<> measure_beam_sharing();
  Expected<> measure_recovery();
  Expected<> add_recovery(const std::string& place, const std::string& dir, double recompute_s);
  Expected<> measure_preemption(int32_t block_size, bool swaps);
  Expected<> measure_attention();
  TraceSpec short_trace() const;

  const PaperOptions& options_;
  const MeasuredMachine machine_;
  PaperResults& results_;
  // Those of the short trace: what a simulation of this machine says, and what is measured.
  size_t predicted_ = 0, measured_ = 0;  // of results_.curves
};

}  // namespace quire
