#include "memory/reservations.h"

#include "base/check.h"
#include "memory/block_table.h"

namespace quire {

Reservations::Reservations(AllocationPolicy policy, const Pool& pool)
    : policy_(policy), pool_(pool), ranges_(pool.num_blocks) {
  CHECK(policy != AllocationPolicy::kPaged, "paging reserves nothing");
}

bool Reservations::reserve(SequenceId sequence, int64_t num_prompt_tokens, int64_t num_output_tokens) {
  CHECK(!by_sequence_.contains(sequence), "sequence {} has a range already", sequence);
  const int64_t asked = reserved_tokens(policy_, num_prompt_tokens, num_output_tokens, pool_.max_model_len);
  const int64_t num_blocks = blocks_for(asked, pool_.block_size);
  if (num_blocks > pool_.num_blocks) return false;
  const int32_t first = ranges_.allocate(static_cast<int32_t>(num_blocks));
  if (first == BuddyAllocator::kNoRange) return false;
  const Range range{.first_block = first, .needed = num_prompt_tokens + num_output_tokens, .asked = asked};
  by_sequence_.emplace(sequence, range);
  slots_.needed += range.needed;
  slots_.asked += range.asked;
  slots_.taken = int64_t{ranges_.num_taken()} * pool_.block_size;
  return true;
}

void Reservations::release(SequenceId sequence) {
  const auto found = by_sequence_.find(sequence);
  if (found == by_sequence_.end()) return;
  ranges_.release(found->second.first_block);
  slots_.needed -= found->second.needed;
  slots_.asked -= found->second.asked;
  slots_.taken = int64_t{ranges_.num_taken()} * pool_.block_size;
  by_sequence_.erase(found);
}

int64_t Reservations::capacity(AllocationPolicy policy, const Pool& pool, int64_t num_prompt_tokens,
                               int64_t num_output_tokens) {
  const int64_t asked = reserved_tokens(policy, num_prompt_tokens, num_output_tokens, pool.max_model_len);
  return BuddyAllocator::capacity(pool.num_blocks, blocks_for(asked, pool.block_size));
}

Expected<> Reservations::check() const {
  if (auto checked = ranges_.check(); !checked) return checked;
  ReservedSlots counted;
  for (const auto& [sequence, range] : by_sequence_) {
    counted.needed += range.needed;
    counted.asked += range.asked;
    counted.taken += int64_t{ranges_.length(range.first_block)} * pool_.block_size;
  }
  if (counted.needed == slots_.needed && counted.asked == slots_.asked && counted.taken == slots_.taken) {
    return {};
  }
  return fail(ErrorCode::kInternal,
              "{} slots are taken by ranges and {} asked for, but {} and {} are counted", counted.taken,
              counted.asked, slots_.taken, slots_.asked);
}

}  // namespace quire
