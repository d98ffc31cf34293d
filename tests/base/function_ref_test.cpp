#include "base/function_ref.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace quire {
namespace {

int apply(FunctionRef<int(int)> function, int value) { return function(value); }

TEST(FunctionRef, CallsWhatItRefersTo) {
  int offset = 10;
  const auto add = [&](int value) { return value + offset; };
  EXPECT_EQ(apply(add, 1), 11);
  offset = 20;
  EXPECT_EQ(apply(add, 1), 21);
  EXPECT_EQ(apply([](int value) { return value * 2; }, 21), 42);
}

TEST(FunctionRef, SeesAndChangesStateThroughTheReference) {
  int calls = 0;
  auto count = [calls](int value) mutable {
    ++calls;
    return value + calls;
  };
  const FunctionRef<int(int)> reference(count);
  EXPECT_EQ(reference(0), 1);
  EXPECT_EQ(reference(0), 2);
  const FunctionRef<int(int)> copy = reference;  // not a reference to the reference
  EXPECT_EQ(copy(0), 3);
}

TEST(FunctionRef, ForwardsArgumentsOfEveryKind) {
  const auto take = [](std::unique_ptr<int> pointer, std::string& out) { out += std::to_string(*pointer); };
  std::string out = "n";
  const FunctionRef<void(std::unique_ptr<int>, std::string&)> reference(take);
  reference(std::make_unique<int>(3), out);
  EXPECT_EQ(out, "n3");
}

}  // namespace
}  // namespace quire
