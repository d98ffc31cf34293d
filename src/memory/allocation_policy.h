// How much of the KV pool a sequence sets aside when it enters. Paging sets nothing aside: that is what
// Quire serves with. The others are the paper's baselines (Kwon et al. 2023, section 6.1: Orca with a
// contiguous range for each sequence), so that `quire bench paper` can run the rivals in the same engine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quire {

enum class AllocationPolicy : uint8_t {
  kPaged,
  kReserveMax,     // the context: no length is known
  kReservePow2,    // the prompt, and the output's length rounded up to a power of two
  kReserveOracle,  // exactly what the sequence will have, as if its length were known
};

inline constexpr std::array<AllocationPolicy, 4> kAllocationPolicies{
    AllocationPolicy::kPaged, AllocationPolicy::kReserveMax, AllocationPolicy::kReservePow2,
    AllocationPolicy::kReserveOracle};

std::string_view to_string(AllocationPolicy policy);  // "paged", "reserve-max", ...

// Token slots that a reserving policy sets aside for a sequence of so many tokens, at most the context and
// at least what it will have.
int64_t reserved_tokens(AllocationPolicy policy, int64_t num_prompt_tokens, int64_t num_output_tokens,
                        int64_t max_model_len);

}  // namespace quire
