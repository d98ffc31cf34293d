#include "bench/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "bench/conversations.h"
#include "bench/local_bench.h"

namespace quire {
namespace {

double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

// Mean of min(X, max) for a log-normal X.
double clipped_mean(double median, double sigma, double max) {
  const double z = (std::log(max) - std::log(median)) / sigma;
  return median * std::exp(sigma * sigma / 2) * normal_cdf(z - sigma) + max * (1 - normal_cdf(z));
}

LengthDistribution divided(double mean, double sigma, int32_t max, int32_t divisor) {
  return log_normal_with_mean(mean / divisor, sigma, max / divisor);
}

}  // namespace

LengthDistribution log_normal_with_mean(double mean, double sigma, int32_t max) {
  CHECK(mean > 0 && mean < max && sigma > 0, "a mean of {} below {}", mean, max);
  double low = 1e-3, high = max;  // the mean grows with the median
  for (int i = 0; i < 100; ++i) {
    const double median = (low + high) / 2;
    (clipped_mean(median, sigma, max) < mean ? low : high) = median;
  }
  return {.median = low, .sigma = sigma, .max = max};
}

std::string describe(const TraceSpec& trace) {
  if (trace.prefix_len > 0) return fmt::format("{}, prefix of {}", trace.name, trace.prefix_len);
  return trace.divisor == 1 ? std::string(trace.name) : fmt::format("{} / {}", trace.name, trace.divisor);
}

WorkloadSpec trace_workload(const TraceSpec& trace, double rate, double seconds, int32_t vocab_size,
                            int64_t seed) {
  return {.num_prompts = std::max(1, static_cast<int32_t>(std::lround(rate * seconds))),
          .request_rate = rate,
          .input_len = divided(trace.mean_input, trace.input_sigma, trace.max_input, trace.divisor),
          .output_len = divided(trace.mean_output, trace.output_sigma, trace.max_output, trace.divisor),
          .prefix_len = trace.prefix_len,
          .first_token = first_random_token(vocab_size),
          .vocab_size = vocab_size,
          .seed = seed};
}

std::vector<WorkItem> make_trace(const TraceSpec& trace, double rate, double seconds, int32_t vocab_size,
                                 int64_t seed) {
  const WorkloadSpec spec = trace_workload(trace, rate, seconds, vocab_size, seed);
  auto items = make_workload(spec);
  return trace.mean_rounds > 1 ? make_conversations(items, trace, seconds, seed) : items;
}

}  // namespace quire
