// How a step's tokens are dealt to prefills. The oldest gets three quarters, so that it ends as early as it
// can; a quarter goes to the others, those first that need least, so that a short prompt does not wait for a
// long one. What nobody of these needs goes to the rest in order of age.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace quire {

// remaining[i]: tokens that the i-th oldest prefill lacks. shares[i]: those it gets, of `budget` in all.
void share_prefills(std::span<const int32_t> remaining, int32_t budget, std::vector<int32_t>& shares);

}  // namespace quire
