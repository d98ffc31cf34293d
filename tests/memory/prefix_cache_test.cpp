#include "memory/prefix_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/memory/colliding_hasher.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PrefixCacheTest : public testing::Test {
 protected:
  void TearDown() override {
    const auto checked = cache_.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }

  void insert(BlockId block, ScopeId scope, const std::vector<TokenId>& tokens) {
    cache_.insert_first(block, scope, cache_.digest(cache_.root(scope), tokens), tokens);
  }
  void insert_after(BlockId parent, BlockId block, const std::vector<TokenId>& tokens) {
    cache_.insert_after(parent, block, cache_.digest(cache_.node(parent), tokens), tokens);
  }
  BlockId find(const PrefixNode& parent, const std::vector<TokenId>& tokens) const {
    return cache_.find(parent, cache_.digest(parent, tokens), tokens);
  }

  // Everything collides: what is found is found by what the entries say.
  PrefixCache cache_{8, 2, std::make_unique<CollidingHasher>()};
  ScopeId scope_ = cache_.open({});
};

TEST_F(PrefixCacheTest, FindsABlockByItsTokensAndWhatTheyFollow) {
  insert(0, scope_, {1, 2});
  insert(1, scope_, {5, 2});  // the same digest
  insert_after(0, 2, {3, 4});
  insert_after(1, 3, {3, 4});
  const PrefixNode root = cache_.root(scope_);
  EXPECT_EQ(find(root, {1, 2}), 0);
  EXPECT_EQ(find(root, {5, 2}), 1);
  EXPECT_EQ(find(root, {9, 2}), kNoBlock);
  EXPECT_EQ(find(root, {3, 4}), kNoBlock);
  EXPECT_EQ(find(cache_.node(0), {3, 4}), 2);
  EXPECT_EQ(find(cache_.node(1), {3, 4}), 3);
  EXPECT_THAT(cache_.tokens(3), ElementsAre(3, 4));
  EXPECT_EQ(cache_.num_cached(), 4);
}

TEST_F(PrefixCacheTest, ScopesShareNothing) {
  const ScopeId other = cache_.open({.salt = "other"});
  insert(0, scope_, {1, 2});
  EXPECT_EQ(find(cache_.root(other), {1, 2}), kNoBlock);
  EXPECT_EQ(find(cache_.root(scope_), {1, 2}), 0);
}

TEST_F(PrefixCacheTest, AnEntryKeepsItsScopeFindable) {
  const ScopeId salted = cache_.open({.salt = "salt"});
  insert(0, salted, {1, 2});
  cache_.close(salted);
  const ScopeId again = cache_.open({.salt = "salt"});
  EXPECT_EQ(find(cache_.root(again), {1, 2}), 0);
  cache_.close(again);
  cache_.make_idle(0);
  EXPECT_EQ(cache_.num_scopes(), 2u);
  EXPECT_EQ(cache_.evict(), 0);
  EXPECT_EQ(cache_.num_scopes(), 1u);
}

TEST_F(PrefixCacheTest, EvictsTheOneIdleForLongest) {
  for (BlockId block = 0; block < 4; ++block) insert(block, scope_, {block, block});
  for (const BlockId block : {2, 0, 3, 1}) cache_.make_idle(block);
  cache_.leave_idle(3);
  EXPECT_THAT(cache_.idle_blocks(), ElementsAre(2, 0, 1));
  cache_.leave_idle(2);
  cache_.make_idle(2);
  EXPECT_EQ(cache_.evict(), 0);
  EXPECT_EQ(cache_.evict(), 1);
  EXPECT_EQ(cache_.evict(), 2);
  EXPECT_THAT(cache_.idle_blocks(), IsEmpty());
  EXPECT_EQ(cache_.num_evictions(), 3);
  EXPECT_EQ(cache_.num_cached(), 1);
  EXPECT_EQ(find(cache_.root(scope_), {0, 0}), kNoBlock);
  EXPECT_EQ(find(cache_.root(scope_), {3, 3}), 3);
}

TEST_F(PrefixCacheTest, WhatFollowedAnEvictedBlockIsNotFoundUnderItsSuccessor) {
  insert(0, scope_, {1, 2});
  const PrefixNode before = cache_.node(0);
  cache_.make_idle(0);
  cache_.evict();
  insert(0, scope_, {1, 2});
  EXPECT_NE(cache_.node(0).serial, before.serial);
  insert_after(0, 1, {3, 4});
  EXPECT_EQ(find(before, {3, 4}), kNoBlock);
}

TEST_F(PrefixCacheTest, MisuseAborts) {
  insert(0, scope_, {1, 2});
  EXPECT_DEATH(insert(0, scope_, {3, 4}), "block 0 with 2 tokens");
  EXPECT_DEATH(cache_.insert_after(5, 1, {}, std::vector<TokenId>{1, 2}), "which is not cached");
  EXPECT_DEATH(cache_.evict(), "no block is idle");
  EXPECT_DEATH(cache_.leave_idle(0), "held already");
}

}  // namespace
}  // namespace quire
