#include "bench/paper_results.h"

#include <algorithm>

namespace quire {

const PolicyCurve* CurveSet::find(AllocationPolicy policy) const {
  const auto found = std::ranges::find(curves, policy, &PolicyCurve::policy);
  return found == curves.end() ? nullptr : &*found;
}

std::optional<double> CurveSet::rate_against(AllocationPolicy policy) const {
  const PolicyCurve* paged = find(AllocationPolicy::kPaged);
  const PolicyCurve* rival = find(policy);
  if (paged == nullptr || rival == nullptr || rival->sustained.is_lower_bound) return std::nullopt;
  return paged->sustained.rate / rival->sustained.rate;
}

const CurveSet* PaperResults::comparison(AllocationPolicy rival) const {
  for (const bool measured : {true, false}) {
    for (const CurveSet& set : curves) {
      if (set.measured == measured && set.n == 1 && set.rate_against(rival)) return &set;
    }
  }
  return nullptr;
}

}  // namespace quire
