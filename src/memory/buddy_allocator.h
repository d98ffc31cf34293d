// Contiguous ranges of units, by the buddy system (Knowlton 1965): a range is a power of two long and
// starts at a multiple of its length; where none of that length is free, a longer one is halved, and two
// free halves become one again. It rounds sizes up and leaves holes: what paging does away with, and the
// reason why it is here, as the allocator of the rivals that `quire bench paper` measures. O(log units).
// One thread.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "base/error.h"

namespace quire {

class BuddyAllocator {
 public:
  static constexpr int32_t kNoRange = -1;

  // num_units >= 1. A number that is no power of two begins as several ranges, the longest first.
  explicit BuddyAllocator(int32_t num_units);

  // The first unit of a range of at least `num_units` (>= 1): the lowest of the shortest that will do.
  // kNoRange if no free range is long enough, however much is free in all.
  int32_t allocate(int32_t num_units);

  // Ends the range that begins at `first`.
  void release(int32_t first);

  int32_t num_units() const { return static_cast<int32_t>(orders_.size()); }
  int32_t num_taken() const { return num_taken_; }  // rounding included
  // Of the taken range that begins at `first`.
  int32_t length(int32_t first) const { return 1 << orders_[static_cast<size_t>(first)]; }

  // How many ranges for `size` units each an empty allocator of `num_units` gives at once.
  static int64_t capacity(int32_t num_units, int64_t size);

  // The whole state: no unit in two ranges and none in neither, no two free buddies apart, the count right.
  Expected<> check() const;

 private:
  Expected<> check_range(int32_t first, int order, std::vector<bool>& seen) const;

  std::vector<std::set<int32_t>> free_;  // first units of free ranges, by order: 2^order units
  std::vector<int8_t> orders_;           // by first unit of a taken range; -1 elsewhere
  int32_t num_taken_ = 0;
};

}  // namespace quire
