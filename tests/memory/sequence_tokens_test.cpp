#include "memory/sequence_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace quire {
namespace {

using testing::ElementsAre;

TEST(SequenceTokens, ABlockMayLieInThePromptInTheOutputOrInBoth) {
  const std::vector<TokenId> prompt{1, 2, 3}, output{4, 5, 6};
  const SequenceTokens tokens{prompt, output};
  EXPECT_EQ(tokens.size(), 6);
  std::vector<TokenId> block(2);
  tokens.copy(0, block);
  EXPECT_THAT(block, ElementsAre(1, 2));
  tokens.copy(2, block);
  EXPECT_THAT(block, ElementsAre(3, 4));
  tokens.copy(4, block);
  EXPECT_THAT(block, ElementsAre(5, 6));
  tokens.copy(3, block);
  EXPECT_THAT(block, ElementsAre(4, 5));
}

}  // namespace
}  // namespace quire
