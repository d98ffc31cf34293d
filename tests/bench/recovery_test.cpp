#include "bench/recovery.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(Recovery, ARowForEachSizeOfBlocks) {
  constexpr int32_t kSizes[] = {4, 16};
  const auto rows =
      compare_recovery({.machine = "there", .num_tokens = 64, .recompute_s = 5}, kSizes,
                       [](int32_t block_size, int32_t num_blocks) -> Expected<SwapTiming> {
                         return SwapTiming{.out_s = block_size * 1.0, .in_s = num_blocks * 1.0};
                       });
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].block_size, 4);
  EXPECT_EQ((*rows)[0].swap_in_s, 16) << "blocks of four for 64 tokens";
  EXPECT_EQ((*rows)[1].swap_out_s, 16);
  EXPECT_EQ((*rows)[1].swap_in_s, 4);
  EXPECT_EQ((*rows)[1].recompute_s, 5);
}

TEST(Recovery, WhatCannotBeTimedIsAnError) {
  constexpr int32_t kSizes[] = {4};
  const auto rows = compare_recovery({.machine = "there", .num_tokens = 64, .recompute_s = 5}, kSizes,
                                     [](int32_t, int32_t) -> Expected<SwapTiming> {
                                       return fail(ErrorCode::kResourceExhausted, "no memory");
                                     });
  EXPECT_FALSE(rows);
}

TEST(Recovery, ALinkCarriesBytesAndBeginsCopies) {
  const ModelSpec model{.num_layers = 2, .kv_bytes_per_token = 100};
  const LinkSpec link{.bytes_per_s = 1000, .share = 0.5, .copy_s = 0.25};
  const SwapTiming times = link_swap_timing(link, model, 4, 5);
  EXPECT_DOUBLE_EQ(times.out_s, 2000 / 500.0 + 2 * 2 * 5 * 0.25);
  EXPECT_DOUBLE_EQ(times.in_s, times.out_s);
}

}  // namespace
}  // namespace quire
