// The worker's row slots, and which sequence has each. O(1); engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/types.h"
#include "request/sequence_group.h"

namespace quire {

class SlotPool {
 public:
  struct Occupant {
    SequenceGroup* group = nullptr;  // null: the slot is free
    Sequence* sequence = nullptr;
  };

  explicit SlotPool(int32_t num_slots) : occupants_(static_cast<size_t>(num_slots)) {
    for (SlotId slot = num_slots - 1; slot >= 0; --slot) free_.push_back(slot);
  }

  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  int32_t num_slots() const { return static_cast<int32_t>(occupants_.size()); }
  const Occupant& operator[](SlotId slot) const { return occupants_[static_cast<size_t>(slot)]; }

  // There must be a free one.
  void take(SequenceGroup& group, Sequence& sequence) {
    CHECK(!free_.empty() && sequence.slot == kNoSlot);
    sequence.slot = free_.back();
    free_.pop_back();
    occupants_[static_cast<size_t>(sequence.slot)] = {&group, &sequence};
  }

  void give_back(Sequence& sequence) {
    CHECK(sequence.slot != kNoSlot);
    occupants_[static_cast<size_t>(sequence.slot)] = {};
    free_.push_back(sequence.slot);
    sequence.slot = kNoSlot;
  }

 private:
  std::vector<Occupant> occupants_;  // by slot
  std::vector<SlotId> free_;         // the back goes next
};

}  // namespace quire
