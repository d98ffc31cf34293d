#include "bench/distributions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int kDraws = 200'000;

template <class Draw>
std::vector<double> draw_many(uint64_t seed, Draw draw) {
  Rng rng(seed);
  std::vector<double> samples;
  for (int i = 0; i < kDraws; ++i) samples.push_back(draw(rng));
  return samples;
}

TEST(Distributions, NormalHasItsMoments) {
  const auto samples = draw_many(1, [](Rng& rng) { return draw_normal(rng); });
  EXPECT_NEAR(mean(samples), 0, 0.01);
  EXPECT_NEAR(standard_deviation(samples), 1, 0.01);
  EXPECT_NEAR(percentile(samples, 97.5), 1.96, 0.03);
}

TEST(Distributions, ExponentialHasItsMoments) {
  const auto samples = draw_many(2, [](Rng& rng) { return draw_exponential(rng); });
  EXPECT_NEAR(mean(samples), 1, 0.01);
  EXPECT_NEAR(standard_deviation(samples), 1, 0.02);
  EXPECT_NEAR(percentile(samples, 50), std::log(2), 0.01);
}

TEST(Distributions, GammaHasItsMomentsForEveryShape) {
  for (const double shape : {0.25, 0.5, 1.0, 2.0, 10.0}) {
    const auto samples = draw_many(3, [&](Rng& rng) { return draw_gamma(rng, shape, 2); });
    EXPECT_NEAR(mean(samples) / (2 * shape), 1, 0.03) << shape;
    EXPECT_NEAR(standard_deviation(samples) / (2 * std::sqrt(shape)), 1, 0.03) << shape;
    EXPECT_GE(percentile(samples, 0), 0) << shape;
  }
}

TEST(Distributions, GammaOfShapeOneIsExponential) {
  const auto samples = draw_many(4, [](Rng& rng) { return draw_gamma(rng, 1, 1); });
  EXPECT_NEAR(percentile(samples, 50), std::log(2), 0.01);
  EXPECT_NEAR(percentile(samples, 99), std::log(100), 0.1);
}

TEST(Distributions, LogNormalHasItsMedianAndSpread) {
  const auto samples = draw_many(5, [](Rng& rng) { return draw_log_normal(rng, 100, 0.9); });
  EXPECT_NEAR(percentile(samples, 50), 100, 2);
  EXPECT_NEAR(percentile(samples, 84.134), 100 * std::exp(0.9), 6);
}

TEST(Distributions, DrawsFollowFromTheSeed) {
  EXPECT_EQ(draw_many(6, [](Rng& rng) { return draw_gamma(rng, 0.7, 1); }),
            draw_many(6, [](Rng& rng) { return draw_gamma(rng, 0.7, 1); }));
}

}  // namespace
}  // namespace quire
