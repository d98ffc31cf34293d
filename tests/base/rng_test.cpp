#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace quire {
namespace {

constexpr uint64_t kMax = ~uint64_t{0};

// Golden values from an implementation in Python. They must never change: a seed would then give other
// samples.
TEST(Rng, DrawsAreStable) {
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(mix64(1), 0x910a2dec89025cc1ULL);
  EXPECT_EQ(mix64(kMax), 0xe4d971771b652c20ULL);
  EXPECT_EQ(random_bits(0, 0), 0xa706dd2f4d197e6fULL);
  EXPECT_EQ(random_bits(1, 0), 0x5e41ab087439611eULL);
  EXPECT_EQ(random_bits(0, 1), 0xb382a305f4414f5eULL);
  EXPECT_EQ(random_bits(42, 7), 0xbc16a3d4cc48678eULL);
  EXPECT_EQ(random_bits(kMax, kMax), 0x445018e305810b78ULL);
  EXPECT_EQ(random_bits(uint64_t{1} << 63, 1'000'000'000'000), 0x89887bb1da743a26ULL);
  EXPECT_EQ(random_uniform(42, 0), 0.34329192209867343);
  EXPECT_EQ(random_uniform(42, 1), 0.9557467261317436);
  EXPECT_EQ(random_uniform(42, 2), 0.48634953628166855);
}

TEST(Rng, AStreamIsItsDrawsInOrder) {
  Rng rng(42);
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(rng(), random_bits(42, i));
  Rng uniform(42);
  EXPECT_EQ(uniform.uniform(), random_uniform(42, 0));
}

TEST(Rng, NearbySeedsAndCountersShareNothing) {
  std::set<uint64_t> draws;
  for (int64_t seed = -50; seed < 50; ++seed) {
    for (uint64_t counter = 0; counter < 100; ++counter)
      draws.insert(random_bits(static_cast<uint64_t>(seed), counter));
  }
  EXPECT_EQ(draws.size(), 10'000U);
}

TEST(Rng, UniformFillsItsRangeEvenly) {
  constexpr int kDraws = 100'000, kBins = 20;
  std::vector<int> bins(kBins);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = random_uniform(7, static_cast<uint64_t>(i));
    ASSERT_GE(draw, 0);
    ASSERT_LT(draw, 1);
    sum += draw;
    ++bins[static_cast<size_t>(draw * kBins)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  for (const int count : bins) EXPECT_NEAR(count, kDraws / kBins, 350);  // five standard deviations
}

TEST(Rng, BelowStaysBelowAndReachesAll) {
  Rng rng(3);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.below(7));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(rng.below(1), 0U);
}

TEST(Rng, ShufflesForTheStandardLibrary) {
  std::vector<int> values{1, 2, 3, 4, 5, 6, 7, 8};
  Rng rng(1);
  std::shuffle(values.begin(), values.end(), rng);
  EXPECT_FALSE(std::ranges::is_sorted(values));
  std::ranges::sort(values);
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace quire
