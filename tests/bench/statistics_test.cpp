#include "bench/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace quire {
namespace {

const std::vector<double> kSamples{15, 20, 35, 40, 50};

// Golden values: numpy.percentile, numpy.mean, numpy.std.
TEST(Statistics, PercentilesAsNumpy) {
  EXPECT_DOUBLE_EQ(percentile(kSamples, 0), 15);
  EXPECT_DOUBLE_EQ(percentile(kSamples, 50), 35);
  EXPECT_DOUBLE_EQ(percentile(kSamples, 40), 29);
  EXPECT_DOUBLE_EQ(percentile(kSamples, 99), 49.6);
  EXPECT_DOUBLE_EQ(percentile(kSamples, 100), 50);
}

TEST(Statistics, OrderDoesNotMatter) {
  const std::vector<double> shuffled{50, 15, 40, 20, 35};
  const std::vector<double> percents{90, 10};
  EXPECT_EQ(percentiles(shuffled, percents), percentiles(kSamples, percents));
}

TEST(Statistics, MeanAndDeviation) {
  EXPECT_DOUBLE_EQ(mean(kSamples), 32);
  EXPECT_NEAR(standard_deviation(kSamples), 12.884098726725126, 1e-12);
}

TEST(Statistics, NothingIsZero) {
  EXPECT_EQ(mean({}), 0);
  EXPECT_EQ(standard_deviation({}), 0);
  EXPECT_EQ(percentile({}, 99), 0);
}

TEST(Statistics, OneSampleIsEveryPercentile) {
  const std::vector<double> one{7};
  EXPECT_EQ(percentile(one, 1), 7);
  EXPECT_EQ(percentile(one, 99), 7);
}

RC_GTEST_PROP(Statistics, PercentilesRiseAndStayInRange, (std::vector<int16_t> values)) {
  RC_PRE(!values.empty());
  const std::vector<double> samples(values.begin(), values.end());
  const std::vector<double> percents{0, 12.5, 50, 90, 99.9, 100};
  const auto results = percentiles(samples, percents);
  RC_ASSERT(std::is_sorted(results.begin(), results.end()));
  RC_ASSERT(results.front() == *std::min_element(samples.begin(), samples.end()));
  RC_ASSERT(results.back() == *std::max_element(samples.begin(), samples.end()));
}

}  // namespace
}  // namespace quire
