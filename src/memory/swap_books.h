// The books of the swap space: which swap slots hold the blocks of which sequences while they have no slot
// in the worker. Sequences of one group share swap slots as they shared blocks: a block is kept once. Ids
// only: the storage lies elsewhere. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/types.h"

namespace quire {

inline constexpr SwapSlotId kNoSwapSlot = -1;

// What a sequence has in the swap space: swap slot i holds its logical block i.
struct SwappedTable {
  RequestId request = 0;
  std::vector<SwapSlotId> swap_slots;
  int32_t num_tokens = 0;
};

class SwapBooks {
 public:
  explicit SwapBooks(int32_t num_slots);  // 0: nothing can be swapped out

  int32_t num_slots() const { return static_cast<int32_t>(holders_.size()); }
  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  // Slots from here on were never taken.
  int32_t num_touched() const { return num_touched_; }

  // A free slot, without a holder until a table names it. There must be one.
  SwapSlotId allocate();

  // The slots of `table` have one more holder each. A sequence has at most one table.
  void add(SequenceId sequence, SwappedTable table);
  // Forgets the sequence's table; slots that nobody else holds are free again.
  void remove(SequenceId sequence);

  const SwappedTable* find(SequenceId sequence) const;  // null: it has none
  size_t num_tables() const { return tables_.size(); }

  // The request whose sequences hold the slot; none if it is free.
  bool is_taken(SwapSlotId slot) const { return holders_[static_cast<size_t>(slot)] > 0; }
  RequestId request_of(SwapSlotId slot) const { return requests_[static_cast<size_t>(slot)]; }

  // The whole state: free + used = total, each free slot listed once and held by nobody, counts equal to
  // the tables that name a slot, and no slot in the tables of two requests.
  Expected<> check() const;

 private:
  std::vector<int32_t> holders_;     // by slot
  std::vector<RequestId> requests_;  // by slot; of those taken
  std::vector<SwapSlotId> free_;     // the back goes next
  int32_t num_touched_ = 0;
  std::unordered_map<SequenceId, SwappedTable> tables_;
};

}  // namespace quire
