#include "memory/prefix_scopes.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(PrefixScopes, AScopeLivesWhileSomebodyHoldsIt) {
  const Blake2Hasher hasher({});
  PrefixScopes scopes;
  const ScopeId one = scopes.open({.salt = "one"}, hasher, 1);
  const ScopeId two = scopes.open({.salt = "two"}, hasher, 2);
  EXPECT_NE(one, two);
  EXPECT_EQ(scopes.open({.salt = "one"}, hasher, 3), one);
  EXPECT_EQ(scopes.root(one).serial, 1u);
  scopes.release(one);
  EXPECT_EQ(scopes.size(), 2u);
  scopes.release(one);
  EXPECT_EQ(scopes.size(), 1u);
  EXPECT_EQ(scopes.open({.salt = "three"}, hasher, 4), one) << "ids are used again";
  EXPECT_EQ(scopes.root(one).serial, 4u) << "serials are not";
}

TEST(PrefixScopes, AdapterAndSaltCannotBeTakenForEachOther) {
  const Blake2Hasher hasher({});
  PrefixScopes scopes;
  const ScopeId first = scopes.open({.adapter = 1, .salt = "1 a"}, hasher, 1);
  EXPECT_NE(scopes.open({.adapter = 11, .salt = " a"}, hasher, 2), first);
  EXPECT_NE(scopes.open({.adapter = 1, .salt = "1 a "}, hasher, 3), first);
  EXPECT_NE(scopes.open({.tenant = 1, .salt = "1 a"}, hasher, 4), first);
  EXPECT_NE(scopes.open({.adapter = 1, .tenant = 1, .salt = "a"}, hasher, 5), first);
  EXPECT_EQ(scopes.size(), 5u);
}

}  // namespace
}  // namespace quire
