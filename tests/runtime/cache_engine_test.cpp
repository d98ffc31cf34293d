#include "runtime/cache_engine.h"

#include <gtest/gtest.h>

#include <cstring>

namespace quire {
namespace {

constexpr CacheShape kShape{
    .num_layers = 3, .num_kv_heads = 2, .head_dim = 8, .block_size = 16, .dtype = DType::kF16};

TEST(CacheEngine, BytesAreExact) {
  EXPECT_EQ(kShape.part_bytes(), 2 * 8 * 16 * 2);
  EXPECT_EQ(kShape.bytes_per_block(), 2 * 3 * kShape.part_bytes());
}

TEST(CacheEngine, PartsOfBlocksAndLayersDoNotOverlap) {
  auto cache = CacheEngine::create(kShape, 5);
  ASSERT_TRUE(cache);
  const auto fill = [&](bool check) {
    for (int32_t layer = 0; layer < 3; ++layer) {
      const KvCacheView& view = cache->layers()[static_cast<size_t>(layer)];
      for (int32_t block = 0; block < 5; ++block) {
        for (std::byte* part : {view.keys, view.values}) {
          std::byte* at = part + block * view.block_stride_bytes;
          const auto mark =
              static_cast<std::byte>(1 + layer * 10 + block * 2 + (part == view.keys ? 0 : 1));
          for (int64_t i = 0; i < kShape.part_bytes(); ++i) {
            if (check) {
              ASSERT_EQ(at[i], mark);
            }
            at[i] = mark;
          }
        }
      }
    }
  };
  fill(false);
  fill(true);
}

TEST(CacheEngine, CopiesWholeBlocks) {
  auto cache = CacheEngine::create(kShape, 4);
  const auto bytes = static_cast<size_t>(kShape.part_bytes());
  for (const KvCacheView& view : cache->layers()) {
    std::memset(view.keys + view.block_stride_bytes, 0x11, bytes);
    std::memset(view.values + view.block_stride_bytes, 0x22, bytes);
  }
  const std::vector<BlockCopy> copies{{.source = 1, .target = 3}};
  cache->copy(copies);
  for (const KvCacheView& view : cache->layers()) {
    EXPECT_EQ(view.keys[3 * view.block_stride_bytes + 5], std::byte{0x11});
    EXPECT_EQ(view.values[3 * view.block_stride_bytes + 5], std::byte{0x22});
    EXPECT_EQ(view.keys[2 * view.block_stride_bytes + 5], std::byte{0});
  }
}

}  // namespace
}  // namespace quire
