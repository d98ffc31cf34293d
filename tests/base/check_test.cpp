#include "base/check.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

int calls = 0;

bool counted(bool value) {
  ++calls;
  return value;
}

TEST(Check, EvaluatesItsConditionOnceAndPasses) {
  calls = 0;
  CHECK(counted(true));
  CHECK(counted(true), "never shown: {}", 1);
  EXPECT_EQ(calls, 2);
}

TEST(Check, IsOneStatement) {
  if (calls < 0)
    CHECK(calls >= 0);
  else
    calls = 0;
  EXPECT_EQ(calls, 0);
}

TEST(CheckDeathTest, AbortsWithPlaceConditionAndMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int slot = 7;
  EXPECT_DEATH(CHECK(slot < 4), "check_test.cpp:[0-9]+: CHECK\\(slot < 4\\) failed\n");
  EXPECT_DEATH(CHECK(slot < 4, "slot {} of {}", slot, 4), "CHECK\\(slot < 4\\) failed: slot 7 of 4");
}

}  // namespace
}  // namespace quire
