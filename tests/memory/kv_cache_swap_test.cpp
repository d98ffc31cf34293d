#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include "base/rng.h"
#include "memory/kv_cache_manager.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class KvCacheSwapTest : public testing::Test {
 protected:
  void TearDown() override {
    const auto checked = memory_.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }

  void add(SlotId slot, int32_t num_tokens) {
    memory_.add(slot);
    ASSERT_TRUE(memory_.append(slot, num_tokens, copies_));
  }

  KvCacheManager memory_{8, 4, nullptr, 5};
  std::vector<BlockCopy> copies_;
  std::vector<SwapOut> outs_;
  std::vector<SwapIn> ins_;
};

TEST_F(KvCacheSwapTest, SharedBlocksAreKeptOnceAndSharedAgain) {
  add(1, 10);  // blocks 0 1 2
  memory_.fork(1, 2);
  ASSERT_TRUE(memory_.append(2, 1, copies_));  // its own copy of block 2: 3
  const std::vector<SwapMove> group{{.slot = 1, .sequence = 11}, {.slot = 2, .sequence = 12}};
  ASSERT_TRUE(memory_.swap_out(7, group, outs_));
  EXPECT_EQ(memory_.num_free_blocks(), 8);
  EXPECT_EQ(memory_.slots_filled(), 0);
  ASSERT_THAT(outs_, SizeIs(4));
  EXPECT_THAT(memory_.swapped(11)->swap_slots, ElementsAre(0, 1, 2));
  EXPECT_THAT(memory_.swapped(12)->swap_slots, ElementsAre(0, 1, 3));
  EXPECT_EQ(memory_.swap_books().num_free(), 1);
  EXPECT_EQ(memory_.swap_books().num_touched(), 4);
  EXPECT_EQ(memory_.swap_books().request_of(3), 7);
  ASSERT_TRUE(memory_.check());

  const std::vector<SwapMove> back{{.slot = 5, .sequence = 11}, {.slot = 3, .sequence = 12}};
  ASSERT_TRUE(memory_.swap_in(kNoScope, back, ins_));
  ASSERT_THAT(ins_, SizeIs(4));
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_EQ(memory_.table(5).num_tokens, 10);
  EXPECT_EQ(memory_.table(3).num_tokens, 11);
  EXPECT_EQ(memory_.table(5).blocks[1], memory_.table(3).blocks[1]);
  EXPECT_NE(memory_.table(5).blocks[2], memory_.table(3).blocks[2]);
  EXPECT_EQ(memory_.slots_filled(), 8 + 2 + 3);
  EXPECT_EQ(memory_.swap_books().num_free(), 1) << "until they have arrived";
  memory_.drop_swapped(11);
  EXPECT_EQ(memory_.swap_books().num_free(), 2) << "the shared ones are the other's too";
  memory_.drop_swapped(12);
  EXPECT_EQ(memory_.swap_books().num_free(), 5);
}

TEST_F(KvCacheSwapTest, AllOrNothing) {
  add(1, 24);  // six blocks, and five swap slots
  const SwapMove move{.slot = 1, .sequence = 11};
  EXPECT_FALSE(memory_.swap_out(1, {&move, 1}, outs_));
  EXPECT_THAT(outs_, IsEmpty());
  EXPECT_EQ(memory_.table(1).num_tokens, 24);
  memory_.free(1);

  add(1, 20);
  ASSERT_TRUE(memory_.swap_out(1, {&move, 1}, outs_));
  add(2, 16);  // four of the eight blocks
  EXPECT_FALSE(memory_.swap_in(kNoScope, {&move, 1}, ins_));
  EXPECT_THAT(ins_, IsEmpty());
  EXPECT_FALSE(memory_.contains(1));
  memory_.free(2);
  EXPECT_TRUE(memory_.swap_in(kNoScope, {&move, 1}, ins_));
}

TEST_F(KvCacheSwapTest, WithoutSlotsNothingIsSwapped) {
  KvCacheManager memory(8, 4);
  memory.add(1);
  ASSERT_TRUE(memory.append(1, 1, copies_));
  const SwapMove move{.slot = 1, .sequence = 11};
  EXPECT_FALSE(memory.swap_out(1, {&move, 1}, outs_));
  memory.drop_swapped(11);
  EXPECT_TRUE(memory.check());
}

// Three blocks of four; sequence 11 has ten tokens, of which the prefix cache knows the first eight.
class CachedSwapTest : public testing::Test {
 protected:
  CachedSwapTest() {
    std::iota(tokens_.begin(), tokens_.end(), 100);
    memory_.add(1);
    EXPECT_TRUE(memory_.append(1, 10, copies_));
    std::vector<BlockEdit> edits;
    memory_.cache_blocks(1, scope_, {tokens_}, 8, edits);
    EXPECT_TRUE(memory_.swap_out(7, {&move_, 1}, outs_));
  }
  ~CachedSwapTest() override {
    const auto checked = memory_.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }

  bool swap_in() {
    const SwapMove back{.slot = 2, .sequence = 11, .tokens = {tokens_}};
    return memory_.swap_in(scope_, {&back, 1}, ins_);
  }
  void take_blocks(int32_t count) {
    memory_.add(0);
    ASSERT_TRUE(memory_.append(0, 4 * count, copies_));
  }

  KvCacheManager memory_{3, 4, std::make_shared<Blake2Hasher>(Blake2Hasher::Secret{}), 5};
  const ScopeId scope_ = memory_.prefix_cache()->open({});
  std::vector<TokenId> tokens_ = std::vector<TokenId>(10);
  const SwapMove move_{.slot = 1, .sequence = 11};
  std::vector<BlockCopy> copies_;
  std::vector<SwapOut> outs_;
  std::vector<SwapIn> ins_;
};

TEST_F(CachedSwapTest, WhatIsStillCachedIsNotReadAgain) {
  EXPECT_THAT(outs_, SizeIs(3)) << "the cache may forget meanwhile";
  ASSERT_TRUE(swap_in());
  EXPECT_THAT(memory_.table(2).blocks, ElementsAre(0, 1, 2));
  EXPECT_EQ(memory_.table(2).num_tokens, 10);
  ASSERT_THAT(ins_, SizeIs(1));
  EXPECT_EQ(ins_[0].block, 2);
  EXPECT_EQ(ins_[0].swap_slot, outs_[2].swap_slot);
  EXPECT_EQ(memory_.slots_filled(), 10);
  EXPECT_TRUE(memory_.check_cached(2, scope_, {tokens_}));
}

TEST_F(CachedSwapTest, WhatWasEvictedComesFromTheSwapSpace) {
  take_blocks(2);  // one was free, the other held the second block of the prefix
  memory_.free(0);
  ASSERT_TRUE(swap_in());
  EXPECT_EQ(memory_.table(2).blocks[0], 0);
  ASSERT_THAT(ins_, SizeIs(2));
  EXPECT_EQ(ins_[0].swap_slot, outs_[1].swap_slot);
  EXPECT_EQ(ins_[1].swap_slot, outs_[2].swap_slot);
  EXPECT_TRUE(memory_.check_cached(2, scope_, {tokens_}));
}

TEST_F(CachedSwapTest, FoundBlocksThatNobodyHoldsAreNoRoom) {
  take_blocks(1);
  EXPECT_EQ(memory_.num_free_blocks(), 2);
  EXPECT_FALSE(swap_in()) << "two are found, and there is none for the third";
  EXPECT_FALSE(memory_.contains(2));
  EXPECT_THAT(ins_, IsEmpty());
  memory_.free(0);
  EXPECT_TRUE(swap_in());
}

using Cells = std::vector<int64_t>;  // two a block

void copy_two(const Cells& from, int32_t source, Cells& to, int32_t target) {
  std::copy_n(from.begin() + source * 2, 2, to.begin() + target * 2);
}

// Sequences that are appended to, forked, swapped out and in, and ended at random: the books hold after
// every call, and contents follow their sequences.
TEST(KvCacheSwapProperty, ContentsFollowTheirSequences) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed);
    KvCacheManager memory(12, 2, nullptr, 7);
    Cells cells(12 * 2, 0), kept(7 * 2, 0);         // who wrote there, and when
    std::map<SlotId, std::vector<int64_t>> wanted;  // by slot, what its tokens hold
    std::map<SlotId, std::vector<int64_t>> away;    // by slot that it had, while swapped out
    int64_t stamp = 0;
    const auto move = [&](SlotId slot) { return SwapMove{.slot = slot, .sequence = 100 + slot}; };
    for (int round = 0; round < 120; ++round) {
      const auto slot = static_cast<SlotId>(rng.below(4));
      const auto other = static_cast<SlotId>(rng.below(4));
      const bool here = wanted.contains(slot), gone = away.contains(slot);
      std::vector<BlockCopy> copies;
      std::vector<SwapOut> outs;
      std::vector<SwapIn> ins;
      switch (rng.below(6)) {
        case 0:
        case 1:
          if (!here && !gone) memory.add(slot), wanted[slot] = {};
          if (gone || !memory.append(slot, 1, copies)) break;
          for (const BlockCopy& copy : copies) copy_two(cells, copy.source, cells, copy.target);
          wanted[slot].push_back(++stamp);
          cells[static_cast<size_t>(memory.table(slot).blocks.back() * 2 +
                                    (memory.table(slot).num_tokens - 1) % 2)] = stamp;
          break;
        case 2:
          if (!here || wanted.contains(other) || away.contains(other)) break;
          memory.fork(slot, other);
          wanted[other] = wanted[slot];
          break;
        case 3: {
          std::vector<SwapMove> moves;
          for (const auto& [taken, tokens] : wanted) moves.push_back(move(taken));
          if (moves.empty() || !away.empty() || !memory.swap_out(1, moves, outs)) break;
          for (const SwapOut& out : outs) copy_two(cells, out.block, kept, out.swap_slot);
          away.swap(wanted);
          std::ranges::fill(cells, -1);
          break;
        }
        case 4: {
          std::vector<SwapMove> moves;
          for (const auto& [taken, tokens] : away) moves.push_back(move(taken));
          if (moves.empty() || !wanted.empty() || !memory.swap_in(kNoScope, moves, ins)) break;
          for (const SwapIn& in : ins) copy_two(kept, in.swap_slot, cells, in.block);
          for (const SwapMove& back : moves) memory.drop_swapped(back.sequence);
          wanted.swap(away);
          break;
        }
        default:
          if (gone) memory.drop_swapped(100 + slot), away.erase(slot);
          if (here) memory.free(slot), wanted.erase(slot);
      }
      const auto checked = memory.check();
      ASSERT_TRUE(checked) << seed << ": " << checked.error().message;
      for (const auto& [taken, tokens] : wanted) {
        for (size_t i = 0; i < tokens.size(); ++i) {
          const BlockId block = memory.table(taken).blocks[i / 2];
          ASSERT_EQ(cells[static_cast<size_t>(block) * 2 + i % 2], tokens[i]) << "seed " << seed;
        }
      }
    }
  }
}

}  // namespace
}  // namespace quire
