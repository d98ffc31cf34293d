#include "runtime/cache_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace quire {

Expected<CacheEngine> CacheEngine::create(const CacheShape& shape, int32_t num_blocks) {
  CHECK(num_blocks > 0);
  auto arena = Arena::create(shape.bytes_per_block() * num_blocks);
  if (!arena) return std::unexpected(arena.error());
  CacheEngine cache;
  cache.shape_ = shape;
  cache.arena_ = std::move(*arena);
  for (int32_t layer = 0; layer < shape.num_layers; ++layer) {
    std::byte* keys = cache.arena_.data() + shape.bytes_per_block() / shape.num_layers * layer;
    cache.layers_.push_back({.keys = keys,
                             .values = keys + shape.part_bytes(),
                             .block_stride_bytes = shape.bytes_per_block(),
                             .head_stride_bytes = 2 * shape.part_bytes(),
                             .block_size = shape.block_size,
                             .num_kv_heads = shape.num_kv_heads,
                             .head_dim = shape.head_dim,
                             .dtype = shape.dtype});
  }
  return cache;
}

void CacheEngine::copy(std::span<const BlockCopy> copies, ThreadPool& pool) {
  if (copies.empty()) return;
  constexpr int64_t kGrain = 4096;  // no page is shared between threads
  const int64_t bytes = shape_.bytes_per_block();
  pool.split(bytes * std::ssize(copies), kGrain, [&](int, int64_t begin, int64_t end) {
    while (begin < end) {
      const BlockCopy& copy = copies[static_cast<size_t>(begin / bytes)];
      const int64_t at = begin % bytes;
      const int64_t count = std::min(end - begin, bytes - at);
      std::memcpy(arena_.data() + copy.target * bytes + at, arena_.data() + copy.source * bytes + at,
                  static_cast<size_t>(count));
      begin += count;
    }
  });
}

}  // namespace quire
