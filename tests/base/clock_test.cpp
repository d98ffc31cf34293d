#include "base/clock.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(SystemClock, NeverGoesBack) {
  const SystemClock clock;
  int64_t before = clock.now_ns();
  for (int i = 0; i < 10'000; ++i) {
    const int64_t now = clock.now_ns();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.unix_seconds(), 1'700'000'000);  // after 2023
}

TEST(ManualClock, MovesWhenTold) {
  ManualClock clock;
  EXPECT_EQ(clock.now_ns(), 0);
  clock.advance_ns(2'500'000'000);
  EXPECT_EQ(clock.now_ns(), 2'500'000'000);
  EXPECT_EQ(clock.unix_seconds(), 2);
  const Clock& seam = clock;
  EXPECT_EQ(seam.now_ns(), 2'500'000'000);
}

}  // namespace
}  // namespace quire
