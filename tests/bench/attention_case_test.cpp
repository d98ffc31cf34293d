#include "bench/attention_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace quire {
namespace {

TEST(AttentionCase, EverySequenceHasBlocksOfItsOwn) {
  ModelConfig config;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 16;
  std::vector<float> q(3 * 64, 0.5F), out(3 * 64);
  const AttentionLoad load{
      .block_size = 8, .num_sequences = 3, .num_rows = 1, .context_len = 60, .scattered = true};
  auto c = make_attention_case(config, load, 1, q.data(), out.data());
  ASSERT_TRUE(c);
  ASSERT_EQ(c->sequences.size(), 3u);
  std::vector<int32_t> blocks;
  for (const AttentionSequence& sequence : c->sequences) {
    EXPECT_EQ(sequence.context, 60);
    blocks.insert(blocks.end(), sequence.blocks, sequence.blocks + 8);
  }
  std::ranges::sort(blocks);
  for (int32_t i = 0; i < 24; ++i) EXPECT_EQ(blocks[static_cast<size_t>(i)], i);
  const std::byte* first = c->cache.layers()[0].keys;
  c->advance();
  EXPECT_EQ(c->args.kv.keys, first);
  c->advance();
  EXPECT_NE(c->args.kv.keys, first) << "the next layer, which is cold";
}

}  // namespace
}  // namespace quire
