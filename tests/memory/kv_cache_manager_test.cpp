#include "memory/kv_cache_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KvCacheManagerTest : public testing::Test {
 protected:
  void TearDown() override {
    const auto checked = memory_.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }

  KvCacheManager memory_{6, 4};
  std::vector<BlockCopy> copies_;
};

TEST_F(KvCacheManagerTest, TakesABlockOnlyWhenTheOneBeforeIsFull) {
  memory_.add(1);
  EXPECT_EQ(memory_.num_free_blocks(), 6);
  ASSERT_TRUE(memory_.append(1, 3, copies_));
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0));
  ASSERT_TRUE(memory_.append(1, 1, copies_));
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0));
  ASSERT_TRUE(memory_.append(1, 1, copies_));
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0, 1));
  ASSERT_TRUE(memory_.append(1, 8, copies_));
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(memory_.table(1).num_tokens, 13);
  EXPECT_EQ(memory_.slots_allocated(), 16);
  EXPECT_EQ(memory_.slots_filled(), 13);
  EXPECT_THAT(copies_, IsEmpty());
}

TEST_F(KvCacheManagerTest, AppendIsAllOrNothing) {
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 5, copies_));
  EXPECT_EQ(memory_.tokens_that_fit(1, 1000), 19);
  EXPECT_FALSE(memory_.append(1, 20, copies_));
  EXPECT_EQ(memory_.table(1).num_tokens, 5);
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_TRUE(memory_.append(1, 19, copies_));
  EXPECT_EQ(memory_.num_free_blocks(), 0);
  EXPECT_EQ(memory_.tokens_that_fit(1, 1), 0);
}

TEST_F(KvCacheManagerTest, ForksShareUntilTheyWrite) {
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 6, copies_));
  memory_.fork(1, 2);
  memory_.fork(1, 3);
  EXPECT_THAT(memory_.table(3).blocks, ElementsAre(0, 1));
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_EQ(memory_.slots_filled(), 6) << "a shared block counts once";

  ASSERT_TRUE(memory_.append(1, 1, copies_));
  ASSERT_EQ(copies_.size(), 1u);
  EXPECT_EQ(copies_[0].source, 1);
  EXPECT_EQ(copies_[0].target, 2);
  EXPECT_EQ(copies_[0].index, 1);
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0, 2));
  EXPECT_EQ(memory_.slots_filled(), 4 + 2 + 3);

  ASSERT_TRUE(memory_.append(2, 1, copies_));
  EXPECT_EQ(copies_.size(), 2u);
  ASSERT_TRUE(memory_.append(3, 1, copies_));
  EXPECT_EQ(copies_.size(), 2u) << "the last holder writes in place";
  EXPECT_THAT(memory_.table(3).blocks, ElementsAre(0, 1));
  EXPECT_EQ(memory_.slots_filled(), 4 + 3 * 3);
}

TEST_F(KvCacheManagerTest, AForkAtABlockBoundaryCopiesNothing) {
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 8, copies_));
  memory_.fork(1, 2);
  ASSERT_TRUE(memory_.append(1, 1, copies_));
  ASSERT_TRUE(memory_.append(2, 1, copies_));
  EXPECT_THAT(copies_, IsEmpty());
  EXPECT_THAT(memory_.table(1).blocks, ElementsAre(0, 1, 2));
  EXPECT_THAT(memory_.table(2).blocks, ElementsAre(0, 1, 3));
}

TEST_F(KvCacheManagerTest, ACopyNeedsAFreeBlock) {
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 22, copies_));  // all six blocks
  memory_.fork(1, 2);
  EXPECT_EQ(memory_.tokens_that_fit(2, 9), 0);
  EXPECT_FALSE(memory_.append(2, 1, copies_));
  EXPECT_THAT(copies_, IsEmpty());
  memory_.free(1);
  EXPECT_EQ(memory_.tokens_that_fit(2, 9), 2);
  EXPECT_TRUE(memory_.append(2, 2, copies_));
  EXPECT_THAT(copies_, IsEmpty());
}

TEST_F(KvCacheManagerTest, FreeGivesBackWhatNobodyElseHolds) {
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 9, copies_));
  memory_.fork(1, 2);
  ASSERT_TRUE(memory_.append(2, 4, copies_));
  memory_.free(1);
  EXPECT_FALSE(memory_.contains(1));
  EXPECT_EQ(memory_.num_free_blocks(), 2);
  memory_.free(2);
  EXPECT_EQ(memory_.num_free_blocks(), 6);
  EXPECT_EQ(memory_.slots_filled(), 0);
  EXPECT_EQ(memory_.num_tables(), 0u);
}

// A model that keeps, for each sequence, the content of every block it sees: a token is the writer's id and
// its position. Sharing must never let one sequence see another's writes.
class Model {
 public:
  using Content = std::vector<std::pair<SlotId, int32_t>>;

  Model(int32_t num_blocks, int32_t block_size)
      : block_size_(block_size), memory_(num_blocks, block_size), store_(static_cast<size_t>(num_blocks)) {
    for (auto& block : store_) block.resize(static_cast<size_t>(block_size));
  }

  bool empty() const { return expected_.empty(); }
  SlotId pick(int draw) const {
    return std::next(expected_.begin(), draw % static_cast<int>(expected_.size()))->first;
  }

  void add() {
    memory_.add(next_);
    expected_[next_++] = {};
  }

  void append(SlotId id, int32_t count) {
    const int32_t fit = memory_.tokens_that_fit(id, count);
    const int32_t num_free = memory_.num_free_blocks();
    std::vector<BlockCopy> copies;
    RC_ASSERT(memory_.append(id, count, copies) == (fit == count));
    if (fit < count) {
      RC_ASSERT(copies.empty() && memory_.num_free_blocks() == num_free);
      return;
    }
    for (const BlockCopy& copy : copies) store_[size_t(copy.target)] = store_[size_t(copy.source)];
    Content& content = expected_[id];
    for (int32_t i = 0; i < count; ++i) {
      const auto position = static_cast<int32_t>(content.size());
      content.emplace_back(id, position);
      at(id, position) = content.back();
    }
  }

  void fork(SlotId parent) {
    memory_.fork(parent, next_);
    expected_[next_++] = expected_[parent];
  }

  void free(SlotId id) {
    memory_.free(id);
    expected_.erase(id);
  }

  void check() {
    const auto checked = memory_.check();
    RC_ASSERT(checked.has_value());
    std::set<std::pair<BlockId, int32_t>> filled;
    std::set<BlockId> used;
    for (const auto& [id, content] : expected_) {
      RC_ASSERT(memory_.table(id).num_tokens == static_cast<int32_t>(content.size()));
      for (int32_t i = 0; i < static_cast<int32_t>(content.size()); ++i) {
        RC_ASSERT(at(id, i) == content[static_cast<size_t>(i)]);
        const BlockId block = memory_.table(id).blocks[static_cast<size_t>(i / block_size_)];
        filled.emplace(block, i % block_size_);
        used.insert(block);
      }
    }
    RC_ASSERT(memory_.slots_filled() == static_cast<int64_t>(filled.size()));
    RC_ASSERT(memory_.slots_allocated() == static_cast<int64_t>(used.size()) * block_size_);
  }

 private:
  std::pair<SlotId, int32_t>& at(SlotId id, int32_t position) {
    const BlockId block = memory_.table(id).blocks[static_cast<size_t>(position / block_size_)];
    return store_[static_cast<size_t>(block)][static_cast<size_t>(position % block_size_)];
  }

  const int32_t block_size_;
  KvCacheManager memory_;
  std::vector<Content> store_;  // by block
  std::map<SlotId, Content> expected_;
  SlotId next_ = 1;
};

RC_GTEST_PROP(KvCacheManagerProperty, NoSequenceSeesAnothersWrites, ()) {
  Model model(*rc::gen::inRange(1, 14), *rc::gen::inRange(1, 6));
  using Action = std::tuple<int, int, int>;  // what, whom, how many
  const auto actions = *rc::gen::container<std::vector<Action>>(
      rc::gen::tuple(rc::gen::inRange(0, 10), rc::gen::inRange(0, 1000), rc::gen::inRange(1, 12)));
  for (const auto& [what, whom, count] : actions) {
    if (model.empty() || what == 0) {
      model.add();
    } else if (what <= 6) {
      model.append(model.pick(whom), what <= 3 ? 1 : count);
    } else if (what <= 8) {
      model.fork(model.pick(whom));
    } else {
      model.free(model.pick(whom));
    }
    model.check();
  }
}

}  // namespace
}  // namespace quire
