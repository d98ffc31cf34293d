#include "bench/rate_curve.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

std::vector<RatePoint> curve_of(std::initializer_list<std::pair<double, double>> points) {
  std::vector<RatePoint> curve;
  for (const auto& [rate, latency_s] : points)
    curve.push_back({.rate = rate, .normalized_latency_s = latency_s});
  return curve;
}

TEST(RateCurve, TheSustainedRateLiesBetweenThePointsAroundTheLimit) {
  const auto curve = curve_of({{1, 0.01}, {2, 0.01}, {3, 1.0}, {4, 10}});
  const SustainedRate sustained = sustained_rate(curve, 0.1);
  EXPECT_DOUBLE_EQ(sustained.rate, 2.5);
  EXPECT_FALSE(sustained.is_lower_bound);
  EXPECT_DOUBLE_EQ(sustained_rate(curve, 1.0).rate, 3.1 - 0.1);
}

TEST(RateCurve, OffTheCurveItSaysSo) {
  EXPECT_TRUE(sustained_rate(curve_of({{1, 0.01}, {2, 0.02}}), 0.1).is_lower_bound);
  EXPECT_DOUBLE_EQ(sustained_rate(curve_of({{1, 0.01}, {2, 0.02}}), 0.1).rate, 2);
  EXPECT_DOUBLE_EQ(sustained_rate(curve_of({{4, 0.2}, {5, 0.3}}), 0.1).rate, 2);
}

TEST(RateCurve, ClimbsUntilTheLimitIsPassed) {
  std::vector<double> rates;
  const auto measure = [&](double rate) -> Expected<RatePoint> {
    rates.push_back(rate);
    return RatePoint{.rate = rate, .normalized_latency_s = rate};
  };
  const auto curve = climb(1, 2, 10, 5, measure);
  ASSERT_TRUE(curve);
  EXPECT_EQ(rates, (std::vector<double>{1, 2, 4, 8}));
  EXPECT_EQ(climb(1, 2, 2, 5, measure)->size(), 2u);
}

TEST(RateCurve, SummarizesARun) {
  TraceRun run;
  run.elapsed_s = 10;
  // 1 s to the first token and 0.1 s a token; 5 s and 0.5 s.
  run.requests = {{.arrival_s = 0, .first_token_s = 1, .end_s = 2, .output_tokens = 11},
                  {.arrival_s = 1, .first_token_s = 6, .end_s = 11, .output_tokens = 11}};
  const RatePoint point = summarize(run, 3, {.ttft_s = 2, .tpot_s = 0.2});
  EXPECT_EQ(point.rate, 3);
  EXPECT_DOUBLE_EQ(point.normalized_latency_s, (2.0 / 11 + 10.0 / 11) / 2);
  EXPECT_DOUBLE_EQ(point.p50_ttft_s, 3);
  EXPECT_DOUBLE_EQ(point.p50_tpot_s, 0.3);
  EXPECT_DOUBLE_EQ(point.goodput, 0.1);
}

}  // namespace
}  // namespace quire
