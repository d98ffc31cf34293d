#include "memory/buddy_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <map>
#include <vector>

namespace quire {
namespace {

constexpr int32_t kNone = BuddyAllocator::kNoRange;

TEST(BuddyAllocator, HalvesAndMerges) {
  BuddyAllocator buddies(16);
  EXPECT_EQ(buddies.allocate(3), 0) << "a range of 4";
  EXPECT_EQ(buddies.length(0), 4);
  EXPECT_EQ(buddies.allocate(8), 8);
  EXPECT_EQ(buddies.allocate(1), 4);
  EXPECT_EQ(buddies.num_taken(), 13);
  EXPECT_EQ(buddies.allocate(4), kNone) << "3 units are free, but never 4 in a row";
  buddies.release(4);
  EXPECT_EQ(buddies.allocate(4), 4);
  buddies.release(0);
  buddies.release(4);
  buddies.release(8);
  EXPECT_EQ(buddies.allocate(16), 0) << "all halves have become one again";
}

TEST(BuddyAllocator, HolesAreNoRange) {
  BuddyAllocator buddies(4);
  for (int32_t unit = 0; unit < 4; ++unit) EXPECT_EQ(buddies.allocate(1), unit);
  buddies.release(1);
  buddies.release(2);
  EXPECT_EQ(buddies.allocate(2), kNone) << "two neighbours are free, but no buddies";
  buddies.release(0);
  EXPECT_EQ(buddies.allocate(2), 0);
}

TEST(BuddyAllocator, AnySizeIsUsedWhole) {
  BuddyAllocator buddies(960);  // 512 + 256 + 128 + 64
  EXPECT_EQ(buddies.allocate(64), 896) << "the shortest that will do";
  for (int i = 0; i < 7; ++i) EXPECT_NE(buddies.allocate(128), kNone);
  EXPECT_EQ(buddies.num_taken(), 960);
  EXPECT_EQ(buddies.allocate(1), kNone);
}

TEST(BuddyAllocator, CapacityIsWhatAnEmptyOneGives) {
  EXPECT_EQ(BuddyAllocator::capacity(960, 128), 7);
  EXPECT_EQ(BuddyAllocator::capacity(960, 65), 7);
  EXPECT_EQ(BuddyAllocator::capacity(960, 513), 0);
  EXPECT_EQ(BuddyAllocator::capacity(960, 961), 0);
}

TEST(BuddyAllocatorDeathTest, MisuseAborts) {
  BuddyAllocator buddies(8);
  buddies.allocate(4);
  EXPECT_DEATH(buddies.release(2), "no range begins at 2");
  EXPECT_DEATH(buddies.release(8), "no range begins at 8");
  EXPECT_DEATH(buddies.allocate(0), "a range of 0 units");
}

// Whether `units` has a free aligned range of `length`, looked for place by place.
bool has_room(const std::vector<bool>& units, int32_t length) {
  for (int32_t first = 0; first + length <= static_cast<int32_t>(units.size()); first += length) {
    bool free = true;
    for (int32_t unit = first; unit < first + length; ++unit)
      free = free && !units[static_cast<size_t>(unit)];
    if (free) return true;
  }
  return false;
}

// Against a map of units: ranges never overlap, one is given exactly where there is room, and all merge.
RC_GTEST_PROP(BuddyAllocatorProperty, AgreesWithAMapOfUnits, ()) {
  const auto num_units = *rc::gen::inRange(1, 100);
  BuddyAllocator buddies(num_units);
  std::vector<bool> units(static_cast<size_t>(num_units), false);
  std::map<int32_t, int32_t> held;  // length by first unit
  const auto mark = [&](int32_t first, int32_t length, bool taken) {
    for (int32_t unit = first; unit < first + length; ++unit) {
      RC_ASSERT(units[static_cast<size_t>(unit)] != taken);
      units[static_cast<size_t>(unit)] = taken;
    }
  };
  for (const int action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000))) {
    if (held.empty() || action % 5 < 3) {
      const int32_t wanted = 1 + action % num_units;
      const auto length = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(wanted)));
      const bool room = has_room(units, length);
      const int32_t first = buddies.allocate(wanted);
      RC_ASSERT((first != kNone) == room);
      if (first == kNone) continue;
      RC_ASSERT(buddies.length(first) == length);
      mark(first, length, true);
      held[first] = length;
    } else {
      const auto range = std::next(held.begin(), action % static_cast<int>(held.size()));
      buddies.release(range->first);
      mark(range->first, range->second, false);
      held.erase(range);
    }
    const auto checked = buddies.check();
    RC_ASSERT(checked.has_value());
  }
  for (const auto& [first, length] : held) buddies.release(first);
  const auto whole = static_cast<int32_t>(std::bit_floor(static_cast<uint32_t>(num_units)));
  RC_ASSERT(buddies.num_taken() == 0);
  RC_ASSERT(buddies.allocate(whole) == 0);
}

}  // namespace
}  // namespace quire
