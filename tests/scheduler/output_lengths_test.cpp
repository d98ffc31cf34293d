#include "scheduler/output_lengths.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(OutputLengths, ThePriorStandsUntilOutputsHaveEnded) {
  OutputLengths lengths(256);
  EXPECT_EQ(lengths.expect(0, 1000), 256);
  EXPECT_EQ(lengths.expect(255, 1000), 256);
  EXPECT_EQ(lengths.expect(0, 100), 100) << "never more than may come";
  for (int i = 0; i < 4; ++i) lengths.add(56);
  EXPECT_EQ(lengths.expect(0, 1000), (256 + 56) / 2);
  for (int i = 0; i < 4; ++i) lengths.add(56);
  EXPECT_EQ(lengths.expect(0, 1000), 56) << "eight replace it";
}

TEST(OutputLengths, ExpectsTheMeanOfThoseThatGrewLonger) {
  OutputLengths lengths(1);
  for (const int32_t length : {10, 20, 30, 40, 50, 60, 70, 80}) lengths.add(length);
  EXPECT_EQ(lengths.expect(0, 1000), 45);
  EXPECT_EQ(lengths.expect(49, 1000), 65);
  EXPECT_EQ(lengths.expect(50, 1000), 70);
  EXPECT_EQ(lengths.expect(79, 1000), 80);
  EXPECT_EQ(lengths.expect(80, 1000), 160) << "longer than any: twice what it has";
  EXPECT_EQ(lengths.expect(0, 1), 1);
}

TEST(OutputLengths, ForgetsTheOldest) {
  OutputLengths lengths(1);
  for (int i = 0; i < 300; ++i) lengths.add(1000);
  for (int i = 0; i < 255; ++i) lengths.add(8);
  EXPECT_EQ(lengths.expect(8, 5000), 1000);
  lengths.add(8);
  EXPECT_EQ(lengths.expect(8, 5000), 16);
  EXPECT_EQ(lengths.expect(0, 5000), 8);
}

TEST(OutputLengths, WithoutAPriorNothingIsExpected) {
  OutputLengths lengths(0);
  EXPECT_EQ(lengths.expect(0, 1000), 0);
  for (int i = 0; i < 100; ++i) lengths.add(50);
  EXPECT_EQ(lengths.expect(7, 1000), 7);
}

}  // namespace
}  // namespace quire
