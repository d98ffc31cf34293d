#include "scheduler/recovery_costs.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(RecoveryCosts, TakesTheCheaperOnceBothAreMeasured) {
  RecoveryCosts costs;
  EXPECT_TRUE(costs.prefer_swap(10, 160)) << "nothing is known: it is tried";
  costs.prefilled(100, 100'000);  // 1 us a token: 16 a block
  costs.swapped_out(10, 50'000);  // 5 us a block
  costs.swapped_in(10, 100'000);  // 10 us a block
  EXPECT_TRUE(costs.prefer_swap(10, 160));
  EXPECT_FALSE(costs.prefer_swap(10, 140)) << "the last block holds little";
}

TEST(RecoveryCosts, FollowsADiskThatGetsSlow) {
  RecoveryCosts costs;
  costs.prefilled(100, 100'000);
  costs.swapped_in(10, 100'000);
  ASSERT_TRUE(costs.prefer_swap(10, 160));
  for (int i = 0; i < 20; ++i) costs.swapped_in(10, 1'000'000);
  int refusals = 0;
  while (!costs.prefer_swap(10, 160)) ++refusals;
  EXPECT_EQ(refusals, 63) << "then it is tried again";
}

TEST(RecoveryCosts, FailuresInARowKeepFromSwappingEverLonger) {
  RecoveryCosts costs;
  for (const int skipped : {2, 4, 8, 16, 32, 64, 64}) {
    costs.swap_failed();
    for (int i = 0; i < skipped; ++i) EXPECT_FALSE(costs.prefer_swap(1, 16));
    EXPECT_TRUE(costs.prefer_swap(1, 16));
  }
  costs.swapped_in(1, 10);
  costs.swap_failed();
  EXPECT_FALSE(costs.prefer_swap(1, 16));
  EXPECT_FALSE(costs.prefer_swap(1, 16));
  EXPECT_TRUE(costs.prefer_swap(1, 16)) << "a success begins anew";
}

}  // namespace
}  // namespace quire
