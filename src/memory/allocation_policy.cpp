#include "memory/allocation_policy.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace quire {

std::string_view to_string(AllocationPolicy policy) {
  switch (policy) {
    case AllocationPolicy::kPaged: return "paged";
    case AllocationPolicy::kReserveMax: return "reserve-max";
    case AllocationPolicy::kReservePow2: return "reserve-pow2";
    case AllocationPolicy::kReserveOracle: return "reserve-oracle";
  }
  return "";
}

int64_t reserved_tokens(AllocationPolicy policy, int64_t num_prompt_tokens, int64_t num_output_tokens,
                        int64_t max_model_len) {
  CHECK(policy != AllocationPolicy::kPaged && num_prompt_tokens >= 1 && num_output_tokens >= 1);
  const int64_t exact = num_prompt_tokens + num_output_tokens;
  if (policy == AllocationPolicy::kReserveOracle) return exact;
  if (policy == AllocationPolicy::kReserveMax) return std::max(exact, max_model_len);
  const auto rounded = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(num_output_tokens)));
  return std::max(exact, std::min(num_prompt_tokens + rounded, max_model_len));
}

}  // namespace quire
