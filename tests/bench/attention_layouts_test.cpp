#include "bench/attention_layouts.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

ModelConfig small_model() {
  ModelConfig config;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 16;
  return config;
}

TEST(AttentionLayouts, BothAreTimed) {
  ThreadPool pool(2);
  const auto row =
      time_attention_layouts(small_model(), *kernels_for(Isa::kScalar), {3, 64}, 8, pool, SystemClock());
  ASSERT_TRUE(row);
  EXPECT_EQ(row->num_sequences, 3);
  EXPECT_EQ(row->context_len, 64);
  EXPECT_EQ(row->block_size, 8);
  EXPECT_GT(row->paged_s, 0);
  EXPECT_GT(row->contiguous_s, 0);
}

}  // namespace
}  // namespace quire
