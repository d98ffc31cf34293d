#include "memory/swap_books.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quire {

SwapBooks::SwapBooks(int32_t num_slots)
    : holders_(static_cast<size_t>(num_slots), 0), requests_(static_cast<size_t>(num_slots), 0) {
  free_.reserve(static_cast<size_t>(num_slots));
  // The lowest go first, and those freed last: a small load touches little of the space.
  for (SwapSlotId slot = num_slots - 1; slot >= 0; --slot) free_.push_back(slot);
}

SwapSlotId SwapBooks::allocate() {
  CHECK(!free_.empty());
  const SwapSlotId slot = free_.back();
  free_.pop_back();
  num_touched_ = std::max(num_touched_, slot + 1);
  return slot;
}

void SwapBooks::add(SequenceId sequence, SwappedTable table) {
  for (const SwapSlotId slot : table.swap_slots) {
    ++holders_[static_cast<size_t>(slot)];
    requests_[static_cast<size_t>(slot)] = table.request;
  }
  const bool added = tables_.try_emplace(sequence, std::move(table)).second;
  CHECK(added, "sequence {} is in the swap space already", sequence);
}

void SwapBooks::remove(SequenceId sequence) {
  const auto found = tables_.find(sequence);
  CHECK(found != tables_.end(), "sequence {} is not in the swap space", sequence);
  const auto& slots = found->second.swap_slots;
  for (size_t i = slots.size(); i-- > 0;) {
    if (--holders_[static_cast<size_t>(slots[i])] == 0) free_.push_back(slots[i]);
  }
  tables_.erase(found);
}

const SwappedTable* SwapBooks::find(SequenceId sequence) const {
  const auto found = tables_.find(sequence);
  return found == tables_.end() ? nullptr : &found->second;
}

Expected<> SwapBooks::check() const {
  std::vector<int32_t> holders(holders_.size(), 0);
  for (const auto& [sequence, table] : tables_) {
    for (const SwapSlotId slot : table.swap_slots) {
      if (slot < 0 || slot >= num_slots()) {
        return fail(ErrorCode::kInternal, "sequence {} has swap slot {} of {}", sequence, slot,
                    num_slots());
      }
      ++holders[static_cast<size_t>(slot)];
      if (request_of(slot) != table.request) {
        return fail(ErrorCode::kInternal, "swap slot {} is in tables of the requests {} and {}", slot,
                    request_of(slot), table.request);
      }
    }
  }
  for (const SwapSlotId slot : free_) {
    if (slot < 0 || slot >= num_slots() || std::exchange(holders[static_cast<size_t>(slot)], -1) != 0) {
      return fail(ErrorCode::kInternal, "swap slot {} is free and held, or free twice", slot);
    }
  }
  for (size_t slot = 0; slot < holders.size(); ++slot) {
    const int32_t found = holders[slot] < 0 ? 0 : holders[slot];
    if (holders_[slot] != found || holders[slot] == 0) {
      return fail(ErrorCode::kInternal, "swap slot {} counts {} holders, has {} and is {}", slot,
                  holders_[slot], found, holders[slot] < 0 ? "free" : "not free");
    }
  }
  return {};
}

}  // namespace quire
