#include "runtime/cache_engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quire {
namespace {

constexpr CacheShape kShape{
    .num_layers = 3, .num_kv_heads = 2, .head_dim = 8, .block_size = 16, .dtype = KvDType::kF16};

TEST(CacheEngine, BytesAreExact) {
  EXPECT_EQ(kShape.part_bytes(), 8 * 16 * 2);
  EXPECT_EQ(kShape.bytes_per_block(), 2 * 3 * 2 * kShape.part_bytes());
  CacheShape int8 = kShape;
  int8.dtype = KvDType::kInt8;
  EXPECT_EQ(int8.part_bytes(), 8 * 16 + 16 * 4) << "a byte an element and a scale a token";
}

TEST(CacheEngine, PartsOfBlocksLayersAndHeadsDoNotOverlap) {
  auto cache = CacheEngine::create(kShape, 5);
  ASSERT_TRUE(cache);
  const auto fill = [&](bool check) {
    for (int32_t layer = 0; layer < 3; ++layer) {
      const KvCacheView& view = cache->layers()[static_cast<size_t>(layer)];
      for (int32_t block = 0; block < 5; ++block) {
        for (int32_t part = 0; part < 4; ++part) {
          std::byte* at = (part % 2 == 0 ? view.keys : view.values) + block * view.block_stride_bytes +
                          part / 2 * view.head_stride_bytes;
          const auto mark = static_cast<std::byte>(1 + layer * 20 + block * 4 + part);
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

// Whatever the shares of the threads: blocks are cut anywhere.
TEST(CacheEngine, CopiesWholeBlocksOnAnyNumberOfThreads) {
  CacheShape shape = kShape;
  shape.head_dim = 200;  // 76,800 bytes a block
  const auto bytes = static_cast<size_t>(shape.bytes_per_block());
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (const int num_copies : {0, 1, 2, 7}) {
      SCOPED_TRACE(std::to_string(num_copies) + " copies, threads: " + std::to_string(threads));
      auto cache = CacheEngine::create(shape, 16);
      ASSERT_TRUE(cache);
      std::byte* data = cache->layers()[0].keys;  // of block 0 on
      const auto expected = [](size_t block, size_t i) {
        return static_cast<std::byte>(1 + (block * 31 + i * 7 + i / 251) % 255);
      };
      for (size_t i = 0; i < 8 * bytes; ++i) data[i] = expected(i / bytes, i % bytes);
      std::vector<BlockCopy> copies;
      for (int i = 0; i < num_copies; ++i) copies.push_back({.source = i * 3 % 8, .target = 15 - i});
      cache->copy(copies, pool);
      for (int i = 0; i < 8; ++i) {
        const std::byte* target = data + static_cast<size_t>(15 - i) * bytes;
        for (size_t at = 0; at < bytes; ++at) {
          const auto want = i < num_copies ? expected(static_cast<size_t>(i * 3 % 8), at) : std::byte{0};
          ASSERT_EQ(target[at], want) << "copy " << i << ", byte " << at;
        }
      }
    }
  }
}

}  // namespace
}  // namespace quire
