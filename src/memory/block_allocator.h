// Hands out the physical blocks of a pool and counts who holds each. Ids only: the storage lies elsewhere.
// Every operation is O(1). One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/types.h"

namespace quire {

inline constexpr BlockId kNoBlock = -1;

class BlockAllocator {
 public:
  // num_blocks >= 1. All blocks start free; the lowest ids go first, so a small load touches little memory.
  explicit BlockAllocator(int32_t num_blocks);

  // A block with one holder, or kNoBlock if none is free. The block freed last is taken first: its memory
  // is warm.
  BlockId allocate();

  // One more holder of a taken block.
  void add_holder(BlockId block);

  // One holder less; true if that was the last one, and the block is free again.
  bool release(BlockId block);

  int32_t num_blocks() const { return static_cast<int32_t>(holders_.size()); }
  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  int32_t num_used() const { return num_blocks() - num_free(); }
  int32_t num_holders(BlockId block) const { return holders_[static_cast<size_t>(block)]; }  // 0: free

  // The whole state against `holders`, the count that the caller finds for each block: free + used = total,
  // every free block listed once and held by nobody, all counts equal. The error says what differs.
  Expected<> check(std::span<const int32_t> holders) const;

 private:
  std::vector<int32_t> holders_;  // by block
  std::vector<BlockId> free_;     // the back goes next
};

}  // namespace quire
