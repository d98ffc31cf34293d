#include "server/api_keys.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(ApiKeys, NoneLetEverybodyIn) {
  for (const char* list : {"", " , ,"}) {
    EXPECT_FALSE(ApiKeys(list).required());
    EXPECT_TRUE(ApiKeys(list).accept(""));
    EXPECT_TRUE(ApiKeys(list).accept("Bearer whatever"));
  }
}

TEST(ApiKeys, TakesEachKeyOfTheList) {
  const ApiKeys keys("first, second");
  EXPECT_TRUE(keys.required());
  EXPECT_TRUE(keys.accept("Bearer first"));
  EXPECT_TRUE(keys.accept("bearer  second "));
  EXPECT_TRUE(keys.accept("BEARER second"));
}

TEST(ApiKeys, RefusesAllElse) {
  const ApiKeys keys("first,second");
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer fir", "Bearer firstx", "Bearer first,second",
                             "first", "Basic first", "Bearer FIRST", "Bearer first second"}) {
    EXPECT_FALSE(keys.accept(header)) << header;
  }
}

}  // namespace
}  // namespace quire
