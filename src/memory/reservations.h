// The contiguous ranges of a reserving AllocationPolicy: who may enter, and what the pool is wasted on.
// They are books beside the block tables. A sequence's blocks are still handed out one by one, which there
// are always enough of, since it never has more than its range; where they lie changes no result, and what
// contiguous memory would save is measured apart (`quire bench roofline`: attention in order and
// scattered). One thread.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/error.h"
#include "base/types.h"
#include "memory/allocation_policy.h"
#include "memory/buddy_allocator.h"

namespace quire {

// Token slots set aside by all sequences together.
struct ReservedSlots {
  int64_t needed = 0;  // what the sequences will have when they end
  int64_t asked = 0;   // what the policy wants for them
  int64_t taken = 0;   // in their ranges: whole blocks, a power of two of them
};

class Reservations {
 public:
  struct Pool {
    int32_t num_blocks = 0;
    int32_t block_size = 0;
    int32_t max_model_len = 0;
  };

  // A reserving policy.
  Reservations(AllocationPolicy policy, const Pool& pool);

  // A range for a sequence that has none; false, and nothing changes, if there is none long enough.
  bool reserve(SequenceId sequence, int64_t num_prompt_tokens, int64_t num_output_tokens);

  // Ends the sequence's range, if it has one.
  void release(SequenceId sequence);

  const ReservedSlots& slots() const { return slots_; }

  // Sequences of such lengths that an empty pool has ranges for.
  static int64_t capacity(AllocationPolicy policy, const Pool& pool, int64_t num_prompt_tokens,
                          int64_t num_output_tokens);

  // The ranges, and that the counts are theirs.
  Expected<> check() const;

 private:
  struct Range {
    int32_t first_block = 0;
    int64_t needed = 0;
    int64_t asked = 0;
  };

  const AllocationPolicy policy_;
  const Pool pool_;
  BuddyAllocator ranges_;  // of blocks
  std::unordered_map<SequenceId, Range> by_sequence_;
  ReservedSlots slots_;
};

}  // namespace quire
