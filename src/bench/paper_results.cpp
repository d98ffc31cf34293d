#include "bench/paper_results.h"

#include <fmt/format.h>

#include <algorithm>

namespace quire {

std::string PolicyCurve::name() const {
  return std::string(to_string(policy)) + (prefix_cache ? ", prefix cache" : "");
}

std::string CurveSet::decoding() const { return fmt::format("{}{}", beams ? "beams = " : "n = ", n); }

const PolicyCurve* CurveSet::find(AllocationPolicy policy, bool prefix_cache) const {
  const auto found = std::ranges::find_if(curves, [&](const PolicyCurve& curve) {
    return curve.policy == policy && curve.prefix_cache == prefix_cache;
  });
  return found == curves.end() ? nullptr : &*found;
}

std::optional<double> CurveSet::rate_against(AllocationPolicy policy) const {
  const PolicyCurve* paged = find(AllocationPolicy::kPaged);
  const PolicyCurve* rival = find(policy);
  if (paged == nullptr || rival == nullptr || rival->sustained.is_lower_bound) return std::nullopt;
  return paged->sustained.rate / rival->sustained.rate;
}

std::optional<double> CurveSet::prefix_cache_speedup() const {
  const PolicyCurve* with = find(AllocationPolicy::kPaged, true);
  const PolicyCurve* without = find(AllocationPolicy::kPaged);
  if (with == nullptr || without == nullptr || without->sustained.is_lower_bound) return std::nullopt;
  return with->sustained.rate / without->sustained.rate;
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
