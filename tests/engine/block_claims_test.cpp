#include "engine/block_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace quire {
namespace {

using testing::HasSubstr;
using Tokens = std::vector<TokenId>;

Tokens counting(int32_t count) {
  Tokens tokens;
  for (int32_t i = 0; i < count; ++i) tokens.push_back(i);
  return tokens;
}

class BlockClaimsTest : public testing::Test {
 protected:
  BlockClaim claim(const Tokens& prompt, int32_t max_tokens, TenantId tenant = 0,
                   std::string_view salt = {}) {
    SamplingParams& params = params_.emplace_back();
    params.max_tokens = max_tokens;
    return {.id = next_id_++, .tenant = tenant, .cache_salt = salt, .prompt = prompt, .params = &params};
  }

  // Its id once it is pinned, or 0.
  RequestId pin(const Tokens& prompt, TenantId tenant = 0, std::string_view salt = {}) {
    const BlockClaim wanted = claim(prompt, 1, tenant, salt);
    if (!claims_.enter_to_pin(wanted, 7)) return 0;
    claims_.complete(wanted.id, 0);
    claims_.leave(wanted.id);
    return wanted.id;
  }

  BlockClaims claims_{{.num_blocks = 20, .block_size = 4, .max_pinned_blocks = 10}};
  std::deque<SamplingParams> params_;
  RequestId next_id_ = 1;
};

TEST_F(BlockClaimsTest, ARequestNeedsRoomBesideWhatIsPinned) {
  ASSERT_GT(pin(counting(24)), 0);
  EXPECT_EQ(claims_.num_pinned_blocks(), 6);
  const Tokens other(8, 99);
  EXPECT_TRUE(claims_.enter(claim(other, 49)));  // 56 slots: 14 blocks
  const auto refused = claims_.enter(claim(other, 50));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().param, "max_tokens");
  EXPECT_THAT(refused.error().message, HasSubstr("need 15 blocks of 4 tokens"));
  EXPECT_THAT(refused.error().message, HasSubstr("20 blocks 6 are pinned, 0 of them"));
}

TEST_F(BlockClaimsTest, WhatBeginsWithAPinnedPrefixNeedsItNoSecondTime) {
  ASSERT_GT(pin(counting(24)), 0);
  Tokens longer = counting(26);
  EXPECT_EQ(claims_.room_for(claim(longer, 1)), 20);
  EXPECT_TRUE(claims_.enter(claim(longer, 55)));  // all 20 blocks
  EXPECT_EQ(claims_.room_for(claim(counting(24), 1)), 19) << "a token must be left to compute";
  EXPECT_EQ(claims_.room_for(claim(longer, 1, 0, "salt")), 14);
  EXPECT_EQ(claims_.room_for(claim(longer, 1, 1)), 14);
  BlockClaim scored = claim(longer, 1);
  params_.back().prompt_logprobs = 0;
  EXPECT_EQ(claims_.room_for(scored), 14) << "the whole prompt is computed";
}

TEST_F(BlockClaimsTest, OnlyWhatIsComputedIsFound) {
  const Tokens prefix = counting(16), longer = counting(17);
  const BlockClaim coming = claim(prefix, 1);
  ASSERT_TRUE(claims_.enter_to_pin(coming, 7));
  EXPECT_EQ(claims_.room_for(claim(longer, 1)), 16);
  EXPECT_TRUE(claims_.list(0).empty());
  EXPECT_FALSE(claims_.unpin(coming.id, 0));
  claims_.complete(coming.id, 12);
  EXPECT_EQ(claims_.room_for(claim(longer, 1)), 20);
  claims_.leave(coming.id);
  const auto list = claims_.list(0);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].id, coming.id);
  EXPECT_EQ(list[0].created, 7);
  EXPECT_EQ(list[0].num_tokens, 16);
  EXPECT_EQ(list[0].num_blocks, 4);
  EXPECT_EQ(list[0].num_cached_tokens, 12);
}

TEST_F(BlockClaimsTest, WhatIsNeverComputedIsNotPinned) {
  const Tokens prefix = counting(40);
  const BlockClaim coming = claim(prefix, 1);
  ASSERT_TRUE(claims_.enter_to_pin(coming, 7));
  EXPECT_EQ(claims_.num_pinned_blocks(), 10);
  claims_.leave(coming.id);
  EXPECT_EQ(claims_.num_pinned_blocks(), 0);
}

TEST_F(BlockClaimsTest, TheSamePrefixCountsOnceAndHasTwoIds) {
  const RequestId first = pin(counting(40)), second = pin(counting(40));
  ASSERT_GT(second, first);
  EXPECT_EQ(claims_.num_pinned_blocks(), 10);
  EXPECT_EQ(claims_.list(0).size(), 2u);
  EXPECT_EQ(pin(counting(40), 0, "salt"), 0) << "in another scope it is another one";
  EXPECT_TRUE(claims_.unpin(first, 0));
  EXPECT_FALSE(claims_.unpin(first, 0));
  EXPECT_EQ(claims_.num_pinned_blocks(), 10);
  EXPECT_FALSE(claims_.unpin(second, 1)) << "another tenant's";
  EXPECT_TRUE(claims_.list(1).empty());
  EXPECT_TRUE(claims_.unpin(second, 0));
  EXPECT_EQ(claims_.num_pinned_blocks(), 0);
}

TEST_F(BlockClaimsTest, BoundsSayTheirNumbers) {
  const auto none = claims_.enter_to_pin(claim({}, 1), 0);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().param, "prompt");
  EXPECT_THAT(none.error().message, HasSubstr("no block of 4 tokens"));
  ASSERT_GT(pin(counting(24)), 0);
  const Tokens other(20, 99);
  const auto beyond = claims_.enter_to_pin(claim(other, 1), 0);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(beyond.error().message,
              HasSubstr("20 tokens and needs 5 more blocks of 4 tokens, but 6 of at most 10"));
  while (claims_.list(0).size() < kMaxPinnedPrefixes) ASSERT_GT(pin(counting(24)), 0);
  EXPECT_EQ(pin(counting(24)), 0);
}

TEST_F(BlockClaimsTest, NothingIsPinnedBesideWhichSomebodyCouldNotRun) {
  const Tokens own(8, 99);
  const BlockClaim large = claim(own, 61);  // 17 blocks
  ASSERT_TRUE(claims_.enter(large));
  ASSERT_GT(pin(counting(12)), 0);
  const Tokens prefix = counting(16);
  const auto refused = claims_.enter_to_pin(claim(prefix, 1), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message,
              HasSubstr("need 17 of the KV cache's 20 blocks, but with 1 more pinned 16"));
  EXPECT_GT(pin(counting(12)), 0) << "what is pinned already takes nothing";
  claims_.leave(large.id);
  EXPECT_GT(pin(counting(16)), 0);
}

TEST_F(BlockClaimsTest, APrefixThatGoesLeavesRoomForThoseWhoCountedOnIt) {
  const RequestId prefix = pin(counting(24));
  const Tokens longer = counting(26);
  const BlockClaim waiting = claim(longer, 55);
  ASSERT_TRUE(claims_.enter(waiting));  // all 20 blocks, 6 of them pinned
  ASSERT_TRUE(claims_.unpin(prefix, 0));
  EXPECT_EQ(claims_.room_for(waiting), 20);
  EXPECT_EQ(pin(Tokens(4, 99)), 0) << "it needs them all by itself now";
}

// Against a set of all beginnings of all pinned prefixes.
RC_GTEST_PROP(BlockClaimsProperty, CountsEachPinnedBlockOnce, ()) {
  BlockClaims claims({.num_blocks = 1000, .block_size = 2, .max_pinned_blocks = 900});
  SamplingParams params;
  params.max_tokens = 1;
  std::vector<std::pair<RequestId, Tokens>> pinned;
  RequestId next = 1;
  for (int i = *rc::gen::inRange(1, 40); i > 0; --i) {
    if (!pinned.empty() && *rc::gen::inRange(0, 3) == 0) {
      const auto which = *rc::gen::inRange<size_t>(0, pinned.size());
      RC_ASSERT(claims.unpin(pinned[which].first, 0));
      pinned.erase(pinned.begin() + static_cast<std::ptrdiff_t>(which));
    } else {
      const auto size = *rc::gen::inRange<size_t>(1, 5);
      Tokens tokens = *rc::gen::container<Tokens>(2 * size, rc::gen::inRange<TokenId>(0, 2));
      const BlockClaim claim{.id = next++, .prompt = tokens, .params = &params};
      RC_ASSERT(claims.enter_to_pin(claim, 0).has_value());
      claims.complete(claim.id, 0);
      claims.leave(claim.id);
      pinned.emplace_back(claim.id, std::move(tokens));
    }
    std::set<Tokens> beginnings;
    for (const auto& [id, tokens] : pinned) {
      for (size_t end = 2; end <= tokens.size(); end += 2)
        beginnings.insert({tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    RC_ASSERT(claims.num_pinned_blocks() == std::ssize(beginnings));
  }
}

}  // namespace
}  // namespace quire
