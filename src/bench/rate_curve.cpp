#include "bench/rate_curve.h"

#include <cmath>

#include "base/check.h"
#include "bench/statistics.h"

namespace quire {

RatePoint summarize(const TraceRun& run, double rate, const Objectives& objectives) {
  std::vector<double> latencies, ttfts, tpots;
  int64_t num_good = 0;
  for (const RequestTimes& request : run.requests) {
    latencies.push_back(request.normalized_latency_s());
    ttfts.push_back(request.time_to_first_token_s());
    if (request.output_tokens > 1) tpots.push_back(request.time_per_token_s());
    num_good += ttfts.back() <= objectives.ttft_s && request.time_per_token_s() <= objectives.tpot_s;
  }
  return {.rate = rate,
          .normalized_latency_s = mean(latencies),
          .p50_ttft_s = percentile(ttfts, 50),
          .p99_ttft_s = percentile(ttfts, 99),
          .p50_tpot_s = percentile(tpots, 50),
          .p99_tpot_s = percentile(tpots, 99),
          .goodput = run.elapsed_s > 0 ? static_cast<double>(num_good) / run.elapsed_s : 0,
          .num_running = run.num_running,
          .waste = run.waste,
          .num_preemptions = run.num_preemptions};
}

SustainedRate sustained_rate(std::span<const RatePoint> curve, double limit_s) {
  CHECK(!curve.empty() && limit_s > 0);
  size_t above = 0;
  while (above < curve.size() && curve[above].normalized_latency_s <= limit_s) ++above;
  if (above == curve.size()) return {.rate = curve.back().rate, .is_lower_bound = true};
  const RatePoint& high = curve[above];
  if (above == 0) return {.rate = high.rate * limit_s / high.normalized_latency_s};
  const RatePoint& low = curve[above - 1];
  const double way = std::log(limit_s / low.normalized_latency_s) /
                     std::log(high.normalized_latency_s / low.normalized_latency_s);
  return {.rate = low.rate + way * (high.rate - low.rate)};
}

Expected<std::vector<RatePoint>> climb(double first, double factor, int most, double limit_s,
                                       FunctionRef<Expected<RatePoint>(double)> measure) {
  CHECK(first > 0 && factor > 1);
  std::vector<RatePoint> curve;
  double rate = first;
  for (int i = 0; i < most; ++i, rate *= factor) {
    auto point = measure(rate);
    if (!point) return std::unexpected(point.error());
    curve.push_back(*point);
    if (point->normalized_latency_s > limit_s) break;
  }
  return curve;
}

}  // namespace quire
