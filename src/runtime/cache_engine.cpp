#include "runtime/cache_engine.h"

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
    std::byte* keys = cache.arena_.data() + int64_t{2} * layer * shape.part_bytes();
    cache.layers_.push_back({.keys = keys,
                             .values = keys + shape.part_bytes(),
                             .block_stride_bytes = shape.bytes_per_block(),
                             .block_size = shape.block_size,
                             .num_kv_heads = shape.num_kv_heads,
                             .head_dim = shape.head_dim,
                             .dtype = shape.dtype});
  }
  return cache;
}

void CacheEngine::copy(std::span<const BlockCopy> copies) {
  const int64_t bytes = shape_.bytes_per_block();
  for (const BlockCopy& copy : copies) {
    std::memcpy(arena_.data() + copy.target * bytes, arena_.data() + copy.source * bytes,
                static_cast<size_t>(bytes));
  }
}

}  // namespace quire
