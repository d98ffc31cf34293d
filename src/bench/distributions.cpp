#include "bench/distributions.h"

#include <cmath>
#include <numbers>

namespace quire {
namespace {

// Uniform in (0, 1], for logarithms.
double draw_positive(Rng& rng) { return 1 - rng.uniform(); }

}  // namespace

double draw_normal(Rng& rng) {
  const double radius = std::sqrt(-2 * std::log(draw_positive(rng)));
  return radius * std::cos(2 * std::numbers::pi * rng.uniform());
}

double draw_exponential(Rng& rng) { return -std::log(draw_positive(rng)); }

double draw_gamma(Rng& rng, double shape, double scale) {
  if (shape < 1) {  // G(a) = G(a + 1) * U^(1/a)
    const double larger = draw_gamma(rng, shape + 1, scale);
    return larger * std::pow(draw_positive(rng), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {  // accepts more than 95% of its candidates
    const double x = draw_normal(rng);
    const double cube = 1 + c * x;
    if (cube <= 0) continue;
    const double v = cube * cube * cube;
    if (std::log(draw_positive(rng)) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v * scale;
  }
}

double draw_log_normal(Rng& rng, double median, double sigma) {
  return median * std::exp(sigma * draw_normal(rng));
}

}  // namespace quire
