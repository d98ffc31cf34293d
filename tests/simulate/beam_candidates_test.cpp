#include "simulate/beam_candidates.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quire {
namespace {

TEST(BeamCandidates, AreSortedAndNoMoreThanAllThereIs) {
  BeamCandidates candidates;
  for (int i = 0; i < 2000; ++i) {
    const auto answer = candidates.next(BeamCandidates::kMost);
    ASSERT_EQ(std::ssize(answer), BeamCandidates::kMost);
    double sum = 0;
    for (size_t c = 0; c < answer.size(); ++c) {
      sum += std::exp(static_cast<double>(answer[c].logprob));
      if (c > 0) {
        ASSERT_LE(answer[c].logprob, answer[c - 1].logprob);
        ASSERT_NE(answer[c].token, answer[c - 1].token);
      }
    }
    ASSERT_LE(sum, 1 + 1e-5);
  }
}

TEST(BeamCandidates, TwoDrawsAgreeAsOftenAsTheSpreadSays) {
  BeamCandidates candidates;
  double agree = 0;
  constexpr int kAnswers = 20'000;
  for (int i = 0; i < kAnswers; ++i) {
    for (const TokenLogprob& candidate : candidates.next(BeamCandidates::kMost)) {
      agree += std::exp(2.0 * static_cast<double>(candidate.logprob)) / kAnswers;
    }
  }
  EXPECT_NEAR(agree, 1 - BeamCandidates::kSpread, 0.03);
}

TEST(BeamCandidates, TheSameEveryTime) {
  BeamCandidates first, second;
  for (int i = 0; i < 50; ++i) {
    const auto a = first.next(4), b = second.next(4);
    ASSERT_EQ(a.size(), 4u);
    for (size_t c = 0; c < a.size(); ++c) ASSERT_EQ(a[c].logprob, b[c].logprob);
  }
}

}  // namespace
}  // namespace quire
