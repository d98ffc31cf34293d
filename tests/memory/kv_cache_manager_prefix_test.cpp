#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "memory/kv_cache_manager.h"
#include "tests/memory/colliding_hasher.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Tokens = std::vector<TokenId>;

class CachedMemoryTest : public testing::Test {
 protected:
  void TearDown() override {
    const auto checked = memory_.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }

  // A sequence that has computed all of `tokens`; how many of them it found.
  int32_t run(SlotId slot, const Tokens& tokens, ScopeId scope) {
    PrefixMatch match;
    memory_.match(scope, {tokens}, static_cast<int32_t>(tokens.size()) - 1, match);
    memory_.add(slot);
    memory_.adopt(slot, match);
    const int32_t found = memory_.table(slot).num_tokens;
    EXPECT_TRUE(memory_.append(slot, static_cast<int32_t>(tokens.size()) - found, copies_));
    memory_.cache_blocks(slot, scope, {tokens}, static_cast<int32_t>(tokens.size()), edits_);
    EXPECT_TRUE(memory_.check_cached(slot, scope, {tokens}));
    return found;
  }

  KvCacheManager memory_{6, 2, std::make_unique<Blake2Hasher>(Blake2Hasher::Secret{})};
  ScopeId scope_ = memory_.prefix_cache()->open({});
  std::vector<BlockCopy> copies_;
  std::vector<BlockEdit> edits_;
};

TEST_F(CachedMemoryTest, PinnedBlocksStayWhateverElseNeedsRoom) {
  run(1, {1, 2, 3, 4}, scope_);
  memory_.pin(7, 1);
  memory_.free(1);
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_EQ(memory_.num_pinned_blocks(), 2);
  EXPECT_EQ(memory_.slots_filled(), 4);
  run(2, {9, 9, 9, 9, 9, 9, 9, 9}, scope_);  // the rest of the pool
  EXPECT_EQ(memory_.num_free_blocks(), 0);
  memory_.free(2);
  EXPECT_EQ(run(3, {1, 2, 3, 4, 5}, scope_), 4);
  memory_.free(3);
  EXPECT_TRUE(memory_.check());
}

TEST_F(CachedMemoryTest, ABlockIsPinnedForAsLongAsOnePrefixHasIt) {
  run(1, {1, 2, 3, 4}, scope_);
  memory_.pin(7, 1);
  run(2, {1, 2, 5, 6}, scope_);
  memory_.pin(8, 2);
  memory_.free(1);
  memory_.free(2);
  EXPECT_EQ(memory_.num_pinned_blocks(), 3);
  memory_.unpin(7);
  EXPECT_EQ(memory_.num_pinned_blocks(), 2);
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_EQ(memory_.slots_filled(), 4);
  EXPECT_TRUE(memory_.check());
  memory_.unpin(8);
  EXPECT_EQ(memory_.num_free_blocks(), 6);
  EXPECT_EQ(memory_.slots_filled(), 0);
  EXPECT_EQ(run(3, {1, 2, 5, 6, 7}, scope_), 4) << "cached, and evicted when others need the room";
}

TEST_F(CachedMemoryTest, AnUnpinnedPrefixIsEvictedFromItsTail) {
  run(1, {1, 2, 3, 4, 5, 6}, scope_);
  memory_.pin(7, 1);
  memory_.free(1);
  memory_.unpin(7);
  run(2, {9, 9, 9, 9, 9, 9, 9, 9}, scope_);  // one more than is free
  memory_.free(2);
  EXPECT_EQ(run(3, {1, 2, 3, 4, 5, 6, 7}, scope_), 4);
}

TEST_F(CachedMemoryTest, FindsWholeBlocksAndLeavesATokenToCompute) {
  EXPECT_EQ(run(1, {1, 2, 3, 4, 5}, scope_), 0);
  EXPECT_EQ(run(2, {1, 2, 3, 4, 5, 6}, scope_), 4);
  EXPECT_THAT(memory_.table(2).blocks, ElementsAre(0, 1, 3));
  EXPECT_EQ(run(3, {1, 2, 3, 4}, scope_), 2) << "the last token is computed, for its logits";
  EXPECT_EQ(memory_.slots_filled(), 4 + 1 + 2);
  EXPECT_THAT(memory_.table(3).blocks, ElementsAre(0, 1)) << "and its block merges";
  ASSERT_EQ(edits_.size(), 1u);
  EXPECT_EQ(edits_[0].slot, 3);
  EXPECT_EQ(edits_[0].index, 1);
  EXPECT_EQ(edits_[0].block, 1);
}

TEST_F(CachedMemoryTest, IdleBlocksAreFreeAndFound) {
  run(1, {1, 2, 3, 4, 5}, scope_);
  memory_.free(1);
  EXPECT_EQ(memory_.num_free_blocks(), 6);
  EXPECT_EQ(memory_.slots_allocated(), 0);
  PrefixMatch match;
  memory_.match(scope_, {Tokens{1, 2, 3, 4, 5}}, 4, match);
  EXPECT_THAT(match.blocks, ElementsAre(0, 1));
  EXPECT_EQ(match.num_idle, 2);
  EXPECT_EQ(run(2, {1, 2, 3, 4, 5}, scope_), 4);
}

TEST_F(CachedMemoryTest, TakesUncachedBlocksFirstThenTailsBeforeHeads) {
  run(1, {1, 2, 3, 4, 5, 6}, scope_);
  memory_.free(1);
  run(2, {7, 7, 7, 7, 7}, scope_);
  EXPECT_EQ(memory_.prefix_cache()->num_evictions(), 0);
  memory_.add(3);
  ASSERT_TRUE(memory_.append(3, 1, copies_));
  EXPECT_EQ(memory_.prefix_cache()->num_evictions(), 1);
  memory_.free(3);
  EXPECT_EQ(run(3, {1, 2, 3, 4, 9}, scope_), 4) << "the third block went first";
}

TEST_F(CachedMemoryTest, SequencesSideBySideMergeWhatTheyComputedTwice) {
  const Tokens tokens{1, 2, 3, 4};
  for (const SlotId slot : {1, 2}) {
    memory_.add(slot);
    ASSERT_TRUE(memory_.append(slot, 4, copies_));
  }
  memory_.fork(2, 3);
  EXPECT_EQ(memory_.num_free_blocks(), 2);
  for (const SlotId slot : {1, 2, 3}) memory_.cache_blocks(slot, scope_, {tokens}, 4, edits_);
  EXPECT_EQ(memory_.num_free_blocks(), 4);
  EXPECT_EQ(memory_.slots_filled(), 4);
  EXPECT_EQ(edits_.size(), 4u);
  for (const SlotId slot : {2, 3}) EXPECT_EQ(memory_.table(slot).blocks, memory_.table(1).blocks);
}

TEST_F(CachedMemoryTest, OnlyWhatIsKnownToBeComputedIsCached) {
  const Tokens tokens{1, 2, 3, 4};
  memory_.add(1);
  ASSERT_TRUE(memory_.append(1, 4, copies_));
  memory_.cache_blocks(1, scope_, {tokens}, 3, edits_);
  PrefixMatch match;
  memory_.match(scope_, {tokens}, 4, match);
  EXPECT_THAT(match.blocks, ElementsAre(0));
  memory_.match(scope_, {tokens}, 1, match);
  EXPECT_THAT(match.blocks, IsEmpty());
}

// Against a model that remembers the content of every block: what is found is what was asked for, under
// the same salt, whatever collides.
class CachedModel {
 public:
  CachedModel(int32_t num_blocks, int32_t block_size, bool collide)
      : block_size_(block_size), memory_(num_blocks, block_size, hasher(collide)) {
    scopes_ = {memory_.prefix_cache()->open({}), memory_.prefix_cache()->open({.salt = "other"})};
    content_.resize(static_cast<size_t>(num_blocks));
  }

  bool empty() const { return rows_.empty(); }
  SlotId pick(int draw) const {
    return std::next(rows_.begin(), draw % static_cast<int>(rows_.size()))->first;
  }

  void add(int draw, int32_t length) {
    Row row{.scope = scopes_[static_cast<size_t>(draw % 2)], .tokens = {}};
    for (int32_t i = 0; i < length; ++i) row.tokens.push_back(draw >> (i % 6) & 1);
    PrefixMatch match;
    memory_.match(row.scope, {row.tokens}, length - 1, match);
    memory_.add(next_);
    memory_.adopt(next_, match);
    row.num_computed = memory_.table(next_).num_tokens;
    RC_ASSERT(row.num_computed < std::max(length, 1));
    rows_[next_] = std::move(row);
    expect_content(next_++);
  }

  void compute(SlotId slot, int32_t count) {
    Row& row = rows_[slot];
    std::vector<BlockCopy> copies;
    const int32_t fit = memory_.tokens_that_fit(slot, count);
    if (fit == 0) return;
    RC_ASSERT(memory_.append(slot, fit, copies));
    for (const BlockCopy& copy : copies) content_[size_t(copy.target)] = content_[size_t(copy.source)];
    for (int32_t i = 0; i < fit; ++i) {
      if (row.num_computed == std::ssize(row.tokens)) row.tokens.push_back(fit % 2);
      ++row.num_computed;
      Content& content = content_[size_t(block_of(slot, row.num_computed - 1))];
      const auto filled = static_cast<size_t>((row.num_computed - 1) % block_size_);
      content.prefix = {row.tokens.begin(), row.tokens.begin() + row.num_computed};
      content.scope = row.scope;
      RC_ASSERT(filled < static_cast<size_t>(block_size_));
    }
  }

  void cache(SlotId slot) {
    Row& row = rows_[slot];
    std::vector<BlockEdit> edits;
    memory_.cache_blocks(slot, row.scope, {row.tokens}, row.num_computed, edits);
    for (const BlockEdit& edit : edits) {
      RC_ASSERT(memory_.table(slot).blocks[size_t(edit.index)] == edit.block);
    }
    RC_ASSERT(memory_.check_cached(slot, row.scope, {row.tokens}).has_value());
    expect_content(slot);
  }

  void free(SlotId slot) {
    memory_.free(slot);
    rows_.erase(slot);
  }

  void check() {
    const auto checked = memory_.check();
    if (!checked) RC_FAIL(checked.error().message);
    std::set<BlockId> held;
    for (const auto& [slot, row] : rows_) {
      held.insert(memory_.table(slot).blocks.begin(), memory_.table(slot).blocks.end());
    }
    RC_ASSERT(memory_.num_free_blocks() + std::ssize(held) == memory_.num_blocks());
  }

 private:
  struct Row {
    ScopeId scope = kNoScope;
    Tokens tokens;
    int32_t num_computed = 0;
  };
  struct Content {
    ScopeId scope = kNoScope;
    Tokens prefix;  // all tokens up to the block's last one
  };

  static std::unique_ptr<BlockHasher> hasher(bool collide) {
    if (collide) return std::make_unique<CollidingHasher>();
    return std::make_unique<Blake2Hasher>(Blake2Hasher::Secret{});
  }
  BlockId block_of(SlotId slot, int32_t position) const {
    return memory_.table(slot).blocks[static_cast<size_t>(position / block_size_)];
  }
  // The row's full blocks hold its own tokens, computed under its own scope.
  void expect_content(SlotId slot) const {
    const Row& row = rows_.at(slot);
    for (int32_t end = block_size_; end <= row.num_computed; end += block_size_) {
      const Content& content = content_[size_t(block_of(slot, end - 1))];
      RC_ASSERT(content.scope == row.scope);
      RC_ASSERT(content.prefix == Tokens(row.tokens.begin(), row.tokens.begin() + end));
    }
  }

  const int32_t block_size_;
  KvCacheManager memory_;
  std::vector<ScopeId> scopes_;
  std::vector<Content> content_;  // by block
  std::map<SlotId, Row> rows_;
  SlotId next_ = 0;
};

RC_GTEST_PROP(CachedMemoryProperty, AMatchIsWhatWasAskedFor, (bool collide)) {
  CachedModel model(*rc::gen::inRange(2, 14), *rc::gen::inRange(1, 5), collide);
  using Action = std::tuple<int, int, int>;  // what, whom, how many
  const auto actions = *rc::gen::container<std::vector<Action>>(
      rc::gen::tuple(rc::gen::inRange(0, 10), rc::gen::inRange(0, 64), rc::gen::inRange(1, 12)));
  for (const auto& [what, whom, count] : actions) {
    if (model.empty() || what <= 2) {
      model.add(whom, count);
    } else if (what <= 5) {
      model.compute(model.pick(whom), count);
    } else if (what <= 7) {
      model.cache(model.pick(whom));
    } else {
      model.free(model.pick(whom));
    }
    model.check();
  }
}

}  // namespace
}  // namespace quire
