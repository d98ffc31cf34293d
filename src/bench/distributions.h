// Random variables whose every draw follows from an Rng alone: the standard library's differ between
// implementations, and a workload must be the same wherever it is replayed.
#pragma once

#include "base/rng.h"

namespace quire {

// Mean 0, variance 1 (Box and Muller 1958; one of the pair is thrown away, so that a draw keeps no state).
double draw_normal(Rng& rng);

// Mean 1.
double draw_exponential(Rng& rng);

// Mean shape * scale, variance shape * scale^2; shape > 0 (Marsaglia and Tsang 2000).
double draw_gamma(Rng& rng, double shape, double scale);

// exp(N(ln median, sigma)).
double draw_log_normal(Rng& rng, double median, double sigma);

}  // namespace quire
