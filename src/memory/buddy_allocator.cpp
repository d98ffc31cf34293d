#include "memory/buddy_allocator.h"

#include <bit>

#include "base/check.h"

namespace quire {
namespace {

constexpr int8_t kNotTaken = -1;

// The order of the shortest range that holds so many units.
int order_for(int64_t num_units) { return std::bit_width(static_cast<uint64_t>(num_units - 1)); }

}  // namespace

BuddyAllocator::BuddyAllocator(int32_t num_units) {
  CHECK(num_units >= 1, "a buddy allocator of {} units", num_units);
  orders_.assign(static_cast<size_t>(num_units), kNotTaken);
  free_.resize(static_cast<size_t>(std::bit_width(static_cast<uint32_t>(num_units))));
  int32_t first = 0;  // a multiple of every power of two that is still to come
  for (size_t order = free_.size(); order-- > 0;) {
    if ((num_units >> order & 1) == 0) continue;
    free_[order].insert(first);
    first += 1 << order;
  }
}

int32_t BuddyAllocator::allocate(int32_t num_units) {
  CHECK(num_units >= 1, "a range of {} units", num_units);
  const auto wanted = static_cast<size_t>(order_for(num_units));
  size_t order = wanted;
  while (order < free_.size() && free_[order].empty()) ++order;
  if (order >= free_.size()) return kNoRange;
  const int32_t first = *free_[order].begin();
  free_[order].erase(free_[order].begin());
  while (order > wanted) {  // its upper half stays free
    --order;
    free_[order].insert(first + (1 << order));
  }
  orders_[static_cast<size_t>(first)] = static_cast<int8_t>(order);
  num_taken_ += 1 << order;
  return first;
}

void BuddyAllocator::release(int32_t first) {
  CHECK(first >= 0 && first < num_units() && orders_[static_cast<size_t>(first)] != kNotTaken,
        "no range begins at {}", first);
  auto order = static_cast<size_t>(orders_[static_cast<size_t>(first)]);
  orders_[static_cast<size_t>(first)] = kNotTaken;
  num_taken_ -= 1 << order;
  while (free_[order].erase(first ^ (1 << order)) > 0) {
    first &= ~(1 << order);
    ++order;
  }
  free_[order].insert(first);
}

int64_t BuddyAllocator::capacity(int32_t num_units, int64_t size) {
  if (size > num_units) return 0;
  return num_units >> order_for(size);  // each longer range is cut up whole
}

Expected<> BuddyAllocator::check_range(int32_t first, int order, std::vector<bool>& seen) const {
  const int32_t length = 1 << order;
  if (first < 0 || first % length != 0 || first + length > num_units()) {
    return fail(ErrorCode::kInternal, "a range of {} units begins at {} of {}", length, first, num_units());
  }
  for (int32_t unit = first; unit < first + length; ++unit) {
    if (seen[static_cast<size_t>(unit)])
      return fail(ErrorCode::kInternal, "unit {} is in two ranges", unit);
    seen[static_cast<size_t>(unit)] = true;
  }
  return {};
}

Expected<> BuddyAllocator::check() const {
  std::vector<bool> seen(orders_.size(), false);
  int32_t num_taken = 0, num_free = 0;
  for (int32_t first = 0; first < num_units(); ++first) {
    const int8_t order = orders_[static_cast<size_t>(first)];
    if (order == kNotTaken) continue;
    if (auto checked = check_range(first, order, seen); !checked) return checked;
    num_taken += 1 << order;
  }
  for (size_t order = 0; order < free_.size(); ++order) {
    for (const int32_t first : free_[order]) {
      if (auto checked = check_range(first, static_cast<int>(order), seen); !checked) return checked;
      if (free_[order].contains(first ^ (1 << order))) {
        return fail(ErrorCode::kInternal, "the free ranges at {} are buddies and apart", first);
      }
      num_free += 1 << order;
    }
  }
  if (num_taken != num_taken_ || num_taken + num_free != num_units()) {
    return fail(ErrorCode::kInternal, "{} units are taken and {} free of {}, but {} are counted as taken",
                num_taken, num_free, num_units(), num_taken_);
  }
  return {};
}

}  // namespace quire
