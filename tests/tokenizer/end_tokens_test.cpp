#include "tokenizer/end_tokens.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(EndTokens, AreTheNamedOnesAndKnownControlTokens) {
  TokenizerSpec spec;
  spec.tokens = {"a", "<|eom_id|>", "<|eot_id|>", "<|im_end|>", "<end>", "<|end_of_text|>", "<tool>"};
  spec.types.assign(spec.tokens.size(), TokenType::kControl);
  spec.types[3] = TokenType::kNormal;  // a spelling alone ends nothing
  EXPECT_EQ(end_token_ids(spec), (std::vector<TokenId>{1, 2}));
  spec.eos = 5;
  spec.eot = 2;
  spec.eom = 6;
  EXPECT_EQ(end_token_ids(spec), (std::vector<TokenId>{5, 2, 6, 1}));
}

}  // namespace
}  // namespace quire
