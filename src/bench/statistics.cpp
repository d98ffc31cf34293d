#include "bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace quire {

double mean(std::span<const double> samples) {
  if (samples.empty()) return 0;
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

double standard_deviation(std::span<const double> samples) {
  if (samples.empty()) return 0;
  const double center = mean(samples);
  double squares = 0;
  for (const double sample : samples) squares += (sample - center) * (sample - center);
  return std::sqrt(squares / static_cast<double>(samples.size()));
}

double percentile(std::span<const double> samples, double percent) {
  return percentiles(samples, std::span(&percent, 1)).front();
}

std::vector<double> percentiles(std::span<const double> samples, std::span<const double> percents) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> values;
  for (const double percent : percents) {
    CHECK(percent >= 0 && percent <= 100, "percentile {}", percent);
    if (sorted.empty()) {
      values.push_back(0);
      continue;
    }
    const double rank = percent / 100 * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(rank);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    values.push_back(sorted[below] + (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]));
  }
  return values;
}

}  // namespace quire
