#include "config/field_table.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

struct Example {
  double share = 0;
};

TEST(FieldTable, RangesIncludeTheirEndsUnlessSaid) {
  const Field<Example> closed{"share", &Example::share, "help", 0, 1};
  EXPECT_TRUE(closed.check(0) && closed.check(0.5) && closed.check(1));
  EXPECT_FALSE(closed.check(-0.001) || closed.check(1.001));
  const Field<Example> open{"share", &Example::share, "help", 0, 1, true};
  EXPECT_FALSE(open.check(0));
  EXPECT_TRUE(open.check(1e-300));
}

TEST(FieldTable, NanIsOutsideEveryRange) {
  const Field<Example> any{"share", &Example::share, "help"};
  EXPECT_TRUE(any.check(-1e308));
  EXPECT_TRUE(any.check(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(any.check(std::numeric_limits<double>::quiet_NaN()));
}

TEST(FieldTable, ErrorsNameFieldAndRange) {
  const Field<Example> between{"share", &Example::share, "help", 0, 1, true};
  const Error both = between.check(2).error();
  EXPECT_EQ(both.param, "share");
  EXPECT_EQ(both.message, "share must be greater than 0 and at most 1, but is 2");
  const Field<Example> from{"share", &Example::share, "help", 3};
  EXPECT_EQ(from.check(1).error().message, "share must be at least 3, but is 1");
}

}  // namespace
}  // namespace quire
