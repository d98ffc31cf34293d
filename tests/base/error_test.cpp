#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

Expected<int> half_of(int number) {
  if (number % 2 != 0) return fail(ErrorCode::kInvalidArgument, "{} is odd by {}", number, 1);
  return number / 2;
}

TEST(Error, FailCarriesCodeAndMessage) {
  EXPECT_EQ(half_of(4), 2);
  const auto odd = half_of(5);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(odd.error().message, "5 is odd by 1");
  EXPECT_EQ(odd.error().param, "");
}

TEST(Error, FailParamNamesTheField) {
  const Expected<> result = fail_param("top_p", "top_p must be at most {}", 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().param, "top_p");
  EXPECT_EQ(result.error().message, "top_p must be at most 1");
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorCode::kInternal) + 1);
  EXPECT_FALSE(names.contains("unknown error"));
}

}  // namespace
}  // namespace quire
