#include "scheduler/prefill_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/rng.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int32_t> shares_of(const std::vector<int32_t>& remaining, int32_t budget) {
  std::vector<int32_t> shares{7, 7};  // what was there does not matter
  share_prefills(remaining, budget, shares);
  return shares;
}

TEST(PrefillShares, OneGetsAllItNeeds) {
  EXPECT_THAT(shares_of({}, 512), IsEmpty());
  EXPECT_THAT(shares_of({100}, 512), ElementsAre(100));
  EXPECT_THAT(shares_of({8000}, 512), ElementsAre(512));
  EXPECT_THAT(shares_of({8000, 10}, 0), ElementsAre(0, 0));
}

TEST(PrefillShares, AShortOnePassesALongOne) {
  EXPECT_THAT(shares_of({8000, 20}, 512), ElementsAre(492, 20));
}

TEST(PrefillShares, TheQuarterGoesToTheShortest) {
  EXPECT_THAT(shares_of({8000, 100, 300, 20, 30}, 400), ElementsAre(350, 0, 0, 20, 30));
}

TEST(PrefillShares, WhatIsLeftGoesByAge) {
  EXPECT_THAT(shares_of({50, 1000, 900}, 400), ElementsAre(50, 350, 0));
  EXPECT_THAT(shares_of({1000, 900, 800}, 400), ElementsAre(400, 0, 0));
}

TEST(PrefillShares, NeverMoreThanThereIsAndNeverLessThanCanBeUsed) {
  Rng rng(1);
  for (int round = 0; round < 10'000; ++round) {
    std::vector<int32_t> remaining(rng.below(8));
    for (int32_t& tokens : remaining) tokens = static_cast<int32_t>(rng.below(600));
    const auto budget = static_cast<int32_t>(rng.below(600));
    const auto shares = shares_of(remaining, budget);
    ASSERT_EQ(shares.size(), remaining.size());
    for (size_t i = 0; i < shares.size(); ++i) {
      ASSERT_GE(shares[i], 0);
      ASSERT_LE(shares[i], remaining[i]);
    }
    const int32_t wanted = std::accumulate(remaining.begin(), remaining.end(), 0);
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), 0), std::min(budget, wanted));
    if (!shares.empty()) {
      ASSERT_GE(shares[0], std::min(remaining[0], budget - budget / 4)) << "the oldest";
    }
  }
}

}  // namespace
}  // namespace quire
