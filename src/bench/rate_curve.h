// How an engine's latency grows with the rate of requests, and the rate that it can bear.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"
#include "bench/trace_run.h"

namespace quire {

struct RatePoint {
  double rate = 0;                  // requests a second that came
  double normalized_latency_s = 0;  // mean over requests (Kwon et al. 2023, section 6.1)
  double p50_ttft_s = 0, p99_ttft_s = 0;
  double p50_tpot_s = 0, p99_tpot_s = 0;
  double goodput = 0;  // requests a second that met the objectives
  double num_running = 0;
  double waste = 0;
  int64_t num_preemptions = 0;
};

// The goodput's objectives for one request.
struct Objectives {
  double ttft_s = 0;
  double tpot_s = 0;
};

RatePoint summarize(const TraceRun& run, double rate, const Objectives& objectives);

// The rate at which the latency reaches `limit_s`.
struct SustainedRate {
  double rate = 0;
  // The curve never reached the limit: the rate is at least the last point's.
  bool is_lower_bound = false;
};

// Points by rate, at least one. Between the last point below the limit and the first above it, the
// logarithm of the latency is taken as linear in the rate. Where already the first is above, its rate
// scaled down by as much as it is.
SustainedRate sustained_rate(std::span<const RatePoint> curve, double limit_s);

// Measures at first, first * factor, ... until the latency has passed the limit, or `most` points.
Expected<std::vector<RatePoint>> climb(double first, double factor, int most, double limit_s,
                                       FunctionRef<Expected<RatePoint>(double)> measure);

}  // namespace quire
