#include "chat/python_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace quire::jinja {
namespace {

TEST(PythonText, WritesFloatsAsPythonDoes) {
  EXPECT_EQ(float_repr(0), "0.0");
  EXPECT_EQ(float_repr(-0.0), "-0.0");
  EXPECT_EQ(float_repr(1e15), "1000000000000000.0");
  EXPECT_EQ(float_repr(1e16), "1e+16");
  EXPECT_EQ(float_repr(123456789.125), "123456789.125");
  EXPECT_EQ(float_repr(0.0001), "0.0001");
  EXPECT_EQ(float_repr(0.00001), "1e-05");
  EXPECT_EQ(float_repr(1.5e300), "1.5e+300");
  EXPECT_EQ(float_repr(5e-324), "5e-324");
  EXPECT_EQ(float_repr(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(float_repr(std::nan("")), "nan");
}

RC_GTEST_PROP(PythonText, FloatsReadBackAsTheyWere, (double number)) {
  RC_PRE(std::isfinite(number));
  RC_ASSERT(std::strtod(float_repr(number).c_str(), nullptr) == number);
}

TEST(PythonText, ReprStaysWithinItsBudget) {
  TemplateLimits limits;
  limits.max_steps = 50;
  Rendering rendering(limits, 0);
  Value list = Value::array();
  for (int i = 0; i < 100; ++i) list.push_back(Value::integer(i));
  MarkedText out;
  const auto done = append_repr(rendering, list, out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace quire::jinja
