#include "scheduler/prefill_shares.h"

#include <algorithm>

namespace quire {

void share_prefills(std::span<const int32_t> remaining, int32_t budget, std::vector<int32_t>& shares) {
  shares.assign(remaining.size(), 0);
  if (remaining.empty() || budget <= 0) return;
  const auto give = [&](size_t i, int32_t most) {
    const int32_t share = std::min(most, remaining[i] - shares[i]);
    shares[i] += share;
    budget -= share;
  };
  give(0, budget - budget / 4);
  // The shortest of those that have nothing yet, as long as it gets all that it lacks.
  for (;;) {
    size_t shortest = 0;
    for (size_t i = 1; i < remaining.size(); ++i) {
      if (shares[i] > 0 || remaining[i] == 0 || remaining[i] > budget) continue;
      if (shortest == 0 || remaining[i] < remaining[shortest]) shortest = i;
    }
    if (shortest == 0) break;
    give(shortest, budget);
  }
  for (size_t i = 0; i < remaining.size() && budget > 0; ++i) give(i, budget);
}

}  // namespace quire
