#include "server/access/rate_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace quire {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

constexpr TenantId kAlice = 1, kBob = 2;
constexpr int64_t kSecond = 1'000'000'000;

class RateLimiterTest : public testing::Test {
 protected:
  void limit(const KeyLimits& limits) { limiter.set_limits(kAlice, "alice", limits); }
  // Admits a request that ends at once; the message of its refusal, or nothing.
  std::string ask(int64_t tokens = 0) {
    auto decision = limiter.admit(kAlice);
    decision.admission.charge_tokens(tokens);
    if (!decision.refused) return {};
    EXPECT_EQ(decision.refused->status, 429);
    EXPECT_EQ(decision.refused->code, "rate_limit_exceeded");
    return decision.refused->message;
  }
  int retry_after() { return limiter.admit(kAlice).refused.value().retry_after_seconds; }

  ManualClock clock;
  MetricsRegistry metrics{""};
  RateLimiter limiter{clock, metrics};
};

TEST_F(RateLimiterTest, WithoutLimitsAllIsAdmitted) {
  for (const TenantId tenant : {0, kAlice}) {
    const auto decision = limiter.admit(tenant);
    EXPECT_FALSE(decision.refused);
    EXPECT_THAT(decision.headers, IsEmpty());
  }
  limit({});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ask(1'000'000), "");
}

TEST_F(RateLimiterTest, RequestsAMinute) {
  limit({.requests_per_minute = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), "");
  EXPECT_THAT(ask(), AllOf(HasSubstr("'alice'"), HasSubstr("3 requests a minute"), HasSubstr("in 20 s")));
  EXPECT_EQ(retry_after(), 20);
  EXPECT_FALSE(limiter.admit(kBob).refused);
  clock.advance_ns(19 * kSecond);
  EXPECT_EQ(retry_after(), 1);
  clock.advance_ns(kSecond);
  EXPECT_EQ(ask(), "");
  EXPECT_NE(ask(), "");
  clock.advance_ns(3600 * kSecond);  // no more than a minute's worth is saved up
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), "");
  EXPECT_NE(ask(), "");
  EXPECT_THAT(metrics.render(), HasSubstr("quire:requests_limited_total{reason=\"requests\"} 5\n"));
}

TEST_F(RateLimiterTest, TokensAMinuteAreOwedIfTheyWereMore) {
  limit({.tokens_per_minute = 600});
  EXPECT_EQ(ask(1200), "");
  EXPECT_THAT(ask(), HasSubstr("600 tokens a minute"));
  EXPECT_EQ(retry_after(), 61);  // 600 owed at 10 a second, and one to begin with
  clock.advance_ns(60 * kSecond);
  EXPECT_NE(ask(), "");
  clock.advance_ns(kSecond);
  EXPECT_EQ(ask(), "");
}

TEST_F(RateLimiterTest, RequestsAtOnce) {
  limit({.max_concurrency = 2});
  auto first = limiter.admit(kAlice);
  auto second = limiter.admit(kAlice);
  EXPECT_THAT(ask(), HasSubstr("2 requests at once"));
  EXPECT_EQ(retry_after(), 1);
  const auto moved = std::move(first.admission);
  first = {};
  EXPECT_NE(ask(), "");  // the one that was moved still runs
  second.admission = {};
  EXPECT_EQ(ask(), "");
}

TEST_F(RateLimiterTest, HeadersTellWhatIsLeft) {
  limit({.requests_per_minute = 60, .tokens_per_minute = 1200});
  auto decision = limiter.admit(kAlice);
  EXPECT_THAT(decision.headers, AllOf(Contains(Pair("x-ratelimit-limit-requests", "60")),
                                      Contains(Pair("x-ratelimit-remaining-requests", "59")),
                                      Contains(Pair("x-ratelimit-reset-requests", "1s")),
                                      Contains(Pair("x-ratelimit-limit-tokens", "1200")),
                                      Contains(Pair("x-ratelimit-remaining-tokens", "1200")),
                                      Contains(Pair("x-ratelimit-reset-tokens", "0ms"))));
  decision.admission.charge_tokens(2500);
  const auto refused = limiter.admit(kAlice);
  EXPECT_TRUE(refused.refused);
  EXPECT_THAT(refused.headers, AllOf(Contains(Pair("x-ratelimit-remaining-tokens", "0")),
                                     Contains(Pair("x-ratelimit-reset-tokens", "2m5s"))));
  limit({.requests_per_minute = 60});
  EXPECT_THAT(limiter.admit(kAlice).headers, Not(Contains(Key("x-ratelimit-limit-tokens"))));
}

TEST_F(RateLimiterTest, NewLimitsForgetNothing) {
  limit({.requests_per_minute = 10});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ask(), "");
  limit({.requests_per_minute = 100});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(), "");
  EXPECT_NE(ask(), "");
  limit({.requests_per_minute = 1});
  clock.advance_ns(60 * kSecond);
  EXPECT_EQ(ask(), "");
  EXPECT_NE(ask(), "");
  limit({});
  EXPECT_EQ(ask(), "");
}

RC_GTEST_FIXTURE_PROP(RateLimiterTest, NoMinuteHasMoreThanTwiceItsLimit, (std::vector<uint16_t> gaps_ms)) {
  constexpr int64_t kLimit = 5;
  limit({.requests_per_minute = kLimit});
  std::vector<int64_t> admitted_ns;
  for (const uint16_t gap_ms : gaps_ms) {
    clock.advance_ns(int64_t{gap_ms} * 1'000'000);
    if (limiter.admit(kAlice).refused) continue;
    admitted_ns.push_back(clock.now_ns());
    const auto in_the_last_minute =
        std::ranges::count_if(admitted_ns, [&](int64_t at) { return clock.now_ns() - at < 60 * kSecond; });
    RC_ASSERT(in_the_last_minute <= 2 * kLimit);
  }
}

}  // namespace
}  // namespace quire
