// Storage of keys and values. A block holds those of block_size tokens in all layers, contiguously:
//   [block][layer][kv_head][keys, values][kv_head_bytes()]
// so a block is copied or swapped as one piece, and memory is taken as blocks are first used.
// What one attention task reads of a block and layer lies together, so that prefetchers seldom run past its
// end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "base/types.h"
#include "config/model_config.h"
#include "kernels/kernel_args.h"
#include "step/step_input.h"
#include "tensor/arena.h"

namespace quire {

struct CacheShape {
  int32_t num_layers = 0;
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t block_size = 0;
  KvDType dtype = KvDType::kF16;

  // Keys, or values, of one KV head and layer in one block.
  int64_t part_bytes() const { return kv_head_bytes(dtype, block_size, head_dim); }
  int64_t bytes_per_block() const { return int64_t{2} * num_layers * num_kv_heads * part_bytes(); }
};

class CacheEngine {
 public:
  static Expected<CacheEngine> create(const CacheShape& shape, int32_t num_blocks);

  std::span<const KvCacheView> layers() const { return layers_; }
  const CacheShape& shape() const { return shape_; }
  std::span<std::byte> block(BlockId id) const {
    const auto bytes = static_cast<size_t>(shape_.bytes_per_block());
    return {arena_.data() + static_cast<size_t>(id) * bytes, bytes};
  }

  // Copies whole blocks, all of them at once, an equal share of the bytes on each thread; the order does
  // not matter (StepInput says so).
  void copy(std::span<const BlockCopy> copies, ThreadPool& pool);

 private:
  CacheShape shape_;
  Arena arena_;
  std::vector<KvCacheView> layers_;
};

}  // namespace quire
