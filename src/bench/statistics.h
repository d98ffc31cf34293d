// Order statistics and moments of measured samples, as NumPy defines them, so that figures compare with
// other load generators'.
#pragma once

#include <span>
#include <vector>

namespace quire {

// All 0 for no samples.
double mean(std::span<const double> samples);
double standard_deviation(std::span<const double> samples);  // of the population (divided by n)

// `percent` in 0..100, linear between the two nearest ranks (NumPy's default). The samples need no order.
double percentile(std::span<const double> samples, double percent);

// Several at once: sorts once. The result has the order of `percents`.
std::vector<double> percentiles(std::span<const double> samples, std::span<const double> percents);

}  // namespace quire
