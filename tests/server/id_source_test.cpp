#include "server/id_source.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

TEST(IdSource, NoTwoAreAlike) {
  const IdSource first, second;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(ids.insert(first.next()).second);
    EXPECT_TRUE(ids.insert(second.next()).second);
  }
  for (const auto& id : ids) {
    EXPECT_EQ(id.size(), 32u);
    EXPECT_TRUE(is_plain_id(id));
  }
}

TEST(IdSource, PlainIdsCanBeSentBackAsTheyAre) {
  for (const char* id : {"a", "req-1", "0.9_Z", "------"}) EXPECT_TRUE(is_plain_id(id)) << id;
  EXPECT_TRUE(is_plain_id(std::string(128, 'x')));
  EXPECT_FALSE(is_plain_id(std::string(129, 'x')));
  for (const char* id : {"", " ", "a b", "a\r\nX: y", "\"", "{}", "\xc3\xa9", "a/b", "a,b"})
    EXPECT_FALSE(is_plain_id(id)) << id;
}

}  // namespace
}  // namespace quire
