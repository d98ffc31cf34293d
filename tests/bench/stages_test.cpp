#include "bench/stages.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(Stages, TellHowFarTheyAre) {
  ManualClock clock;
  Stages stages;
  stages.add("first", 1, [&] { return clock.advance_ns(2'000'000'000), Expected<>{}; });
  stages.add("second", 3, [&] { return clock.advance_ns(5'000'000'000), Expected<>{}; });
  stages.add("third", 1, [] { return Expected<>{}; });
  std::vector<StageProgress> told;
  ASSERT_TRUE(stages.run([&](const StageProgress& progress) { told.push_back(progress); }, clock));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].name, "first");
  EXPECT_LT(told[0].seconds_left, 0);
  EXPECT_DOUBLE_EQ(told[1].seconds_left, 8) << "four more units at two seconds each";
  EXPECT_EQ(told[2].number, 3);
  EXPECT_DOUBLE_EQ(told[2].seconds_left, 7.0 / 4);
}

TEST(Stages, EndWithTheFirstThatFails) {
  Stages stages;
  int done = 0;
  stages.add("fails", 1, [&] { return ++done, fail(ErrorCode::kInternal, "no"); });
  stages.add("never comes", 1, [&] { return ++done, Expected<>{}; });
  EXPECT_FALSE(stages.run([](const StageProgress&) {}, ManualClock()));
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace quire
