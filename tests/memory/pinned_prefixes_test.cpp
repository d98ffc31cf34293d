#include "memory/pinned_prefixes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace quire {
namespace {

using testing::ElementsAre;
using Blocks = std::vector<BlockId>;

TEST(PinnedPrefixes, CountsABlockOnceHoweverManyPinIt) {
  PinnedPrefixes pinned(8);
  pinned.add(1, Blocks{3, 4, 5});
  pinned.add(2, Blocks{3, 4, 7});
  pinned.add(3, Blocks{3, 4, 5});
  EXPECT_EQ(pinned.num_blocks(), 4);
  EXPECT_EQ(pinned.prefixes().size(), 3u);
  EXPECT_THAT(pinned.take(1), ElementsAre(3, 4, 5));
  EXPECT_EQ(pinned.num_blocks(), 4);
  EXPECT_THAT(pinned.take(3), ElementsAre(3, 4, 5));
  EXPECT_EQ(pinned.num_blocks(), 3);
  pinned.take(2);
  EXPECT_EQ(pinned.num_blocks(), 0);
  EXPECT_TRUE(pinned.prefixes().empty());
}

}  // namespace
}  // namespace quire
