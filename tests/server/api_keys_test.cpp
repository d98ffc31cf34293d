#include "server/access/api_keys.h"

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

TEST(ApiKeys, EachKeyHasItsNumber) {
  const ApiKeys keys("first, second, first");
  EXPECT_EQ(keys.find("Bearer second"), 2);
  EXPECT_EQ(keys.find("Bearer first"), keys.find("bearer first "));
  EXPECT_GT(keys.find("Bearer first"), 0);
  for (const char* header : {"", "Bearer ", "Bearer third"}) EXPECT_EQ(keys.find(header), 0) << header;
  EXPECT_EQ(ApiKeys("").find("Bearer first"), 0);
}

TEST(ApiKeys, RefusesAllElse) {
  const ApiKeys keys("first,second");
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer fir", "Bearer firstx", "Bearer first,second",
                             "first", "Basic first", "Bearer FIRST", "Bearer first second"}) {
    EXPECT_FALSE(keys.accept(header)) << header;
  }
}

TEST(ApiKeys, NamedKeysComeAndGoButKeepTheirNumbers) {
  const auto named = [](std::string_view name, std::string_view key) {
    return NamedKey{std::string(name), ApiKeys::digest(key), {}};
  };
  ApiKeys keys("listed");
  EXPECT_EQ(keys.set_named(std::vector{named("alice", "a1"), named("bob", "b1")}),
            (std::vector<TenantId>{2, 3}));
  EXPECT_EQ(keys.find("Bearer b1"), 3);
  EXPECT_EQ(keys.name_of(3), "bob");
  EXPECT_EQ(keys.size(), 3);
  EXPECT_EQ(keys.set_named(std::vector{named("carol", "c1"), named("bob", "b2")}),
            (std::vector<TenantId>{4, 3}));
  EXPECT_EQ(keys.find("Bearer a1"), 0);
  EXPECT_EQ(keys.find("Bearer b1"), 0);
  EXPECT_EQ(keys.find("Bearer b2"), 3);
  EXPECT_EQ(keys.find("Bearer c1"), 4);
  EXPECT_EQ(keys.find("Bearer listed"), 1);
  EXPECT_EQ(keys.name_of(1), "");
  EXPECT_EQ(keys.set_named(std::vector{named("alice", "a2")}), std::vector<TenantId>{2});
  EXPECT_EQ(keys.size(), 4);
}

TEST(ApiKeys, NamedKeysAreAskedFor) {
  ApiKeys keys("");
  keys.set_named(std::vector{NamedKey{"alice", ApiKeys::digest("a"), {}}});
  EXPECT_TRUE(keys.required());
  EXPECT_FALSE(keys.accept(""));
  EXPECT_TRUE(keys.accept("Bearer a"));
}

TEST(ApiKeys, AGivenListMustNameAKey) {
  for (const char* list : {"", " ", ",", " , ,"}) {
    const auto checked = check_given_keys(list);
    ASSERT_FALSE(checked) << "'" << list << "'";
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(checked.error().param, "api_key");
  }
  for (const char* list : {"key", ",key", "first, second"}) EXPECT_TRUE(check_given_keys(list)) << list;
}

}  // namespace
}  // namespace quire
