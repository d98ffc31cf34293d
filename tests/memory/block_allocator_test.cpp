#include "memory/block_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

namespace quire {
namespace {

TEST(BlockAllocator, HandsOutEveryBlockOnceThenNone) {
  BlockAllocator allocator(3);
  EXPECT_EQ(allocator.allocate(), 0);
  EXPECT_EQ(allocator.allocate(), 1);
  EXPECT_EQ(allocator.allocate(), 2);
  EXPECT_EQ(allocator.allocate(), kNoBlock);
  EXPECT_EQ(allocator.num_free(), 0);
  EXPECT_EQ(allocator.num_used(), 3);
}

TEST(BlockAllocator, FreesWithTheLastHolder) {
  BlockAllocator allocator(2);
  const BlockId block = allocator.allocate();
  allocator.add_holder(block);
  EXPECT_EQ(allocator.num_holders(block), 2);
  EXPECT_FALSE(allocator.release(block));
  EXPECT_EQ(allocator.num_free(), 1);
  EXPECT_TRUE(allocator.release(block));
  EXPECT_EQ(allocator.num_free(), 2);
  EXPECT_EQ(allocator.allocate(), block) << "the block freed last goes first";
}

TEST(BlockAllocator, KnowsHowFarItWasEverTaken) {
  BlockAllocator allocator(4);
  EXPECT_EQ(allocator.num_touched(), 0);
  allocator.allocate();
  const BlockId second = allocator.allocate();
  EXPECT_EQ(allocator.num_touched(), 2);
  allocator.release(second);
  allocator.allocate();
  EXPECT_EQ(allocator.num_touched(), 2) << "the block freed last was taken again";
}

TEST(BlockAllocator, CheckNamesTheBlockThatDiffers) {
  BlockAllocator allocator(2);
  allocator.allocate();
  EXPECT_TRUE(allocator.check(std::vector<int32_t>{1, 0}));
  const auto lost = allocator.check(std::vector<int32_t>{0, 0});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().message, "block 0 counts 1 holders but has 0");
  EXPECT_FALSE(allocator.check(std::vector<int32_t>{1, 1}));
}

TEST(BlockAllocatorDeathTest, MisuseAborts) {
  BlockAllocator allocator(2);
  EXPECT_DEATH(allocator.release(0), "freed twice");
  EXPECT_DEATH(allocator.add_holder(1), "cannot be shared");
  EXPECT_DEATH(allocator.release(2), "block 2 of 2");
}

// Against a map of counts.
RC_GTEST_PROP(BlockAllocatorProperty, AgreesWithAModel, ()) {
  const auto num_blocks = *rc::gen::inRange(1, 12);
  BlockAllocator allocator(num_blocks);
  std::map<BlockId, int32_t> model;
  for (const int action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000))) {
    if (model.empty() || action % 3 == 0) {
      const BlockId block = allocator.allocate();
      RC_ASSERT((block == kNoBlock) == (static_cast<int>(model.size()) == num_blocks));
      if (block != kNoBlock) RC_ASSERT(model.emplace(block, 1).second);
    } else {
      const auto held = std::next(model.begin(), action % static_cast<int>(model.size()));
      if (action % 3 == 1) {
        allocator.add_holder(held->first);
        ++held->second;
      } else {
        const bool last = --held->second == 0;
        RC_ASSERT(allocator.release(held->first) == last);
        if (last) model.erase(held);
      }
    }
    std::vector<int32_t> holders(static_cast<size_t>(num_blocks), 0);
    for (const auto& [block, count] : model) holders[static_cast<size_t>(block)] = count;
    RC_ASSERT(allocator.check(holders).has_value());
    RC_ASSERT(allocator.num_used() == static_cast<int>(model.size()));
  }
}

}  // namespace
}  // namespace quire
