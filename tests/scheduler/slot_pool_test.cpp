#include "scheduler/slot_pool.h"

#include <gtest/gtest.h>

#include <memory>

namespace quire {
namespace {

TEST(SlotPool, ReusesSlotsAndKnowsTheirOccupants) {
  SamplingParams params;
  params.n = 2;
  SequenceGroup group({}, {1}, std::make_shared<const SamplingParams>(params));
  Sequence& first = group.sequences()[0];
  Sequence& second = group.sequences()[1];
  SlotPool slots(2);
  slots.take(group, first);
  slots.take(group, second);
  EXPECT_EQ(first.slot, 0);
  EXPECT_EQ(second.slot, 1);
  EXPECT_EQ(slots.num_free(), 0);
  EXPECT_EQ(slots[1].sequence, &second);
  slots.give_back(first);
  EXPECT_EQ(first.slot, kNoSlot);
  EXPECT_EQ(slots[0].group, nullptr);
  EXPECT_EQ(slots.num_free(), 1);
  slots.take(group, first);
  EXPECT_EQ(first.slot, 0);
}

}  // namespace
}  // namespace quire
