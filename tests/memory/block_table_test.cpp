#include "memory/block_table.h"

#include <gtest/gtest.h>

#include <limits>

namespace quire {
namespace {

TEST(BlockTable, BlocksForTokens) {
  EXPECT_EQ(blocks_for(0, 16), 0);
  EXPECT_EQ(blocks_for(1, 16), 1);
  EXPECT_EQ(blocks_for(16, 16), 1);
  EXPECT_EQ(blocks_for(17, 16), 2);
  EXPECT_EQ(blocks_for(7, 1), 7);
  EXPECT_EQ(blocks_for(int64_t{2} * std::numeric_limits<int32_t>::max(), 2),
            std::numeric_limits<int32_t>::max());
}

}  // namespace
}  // namespace quire
