// Hands out the physical blocks of a pool and counts who holds each. Ids only: the storage lies elsewhere.
// A block is taken (somebody holds it), free, or idle: nobody holds it, but its content is worth keeping,
// and whoever keeps it in mind says when it is free. Every operation is O(1). One thread.
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

  // The same, but the block that the last one has left is idle.
  bool release_to_idle(BlockId block);
  // An idle block has one holder again, or is free.
  void take_idle(BlockId block);
  void free_idle(BlockId block);

  int32_t num_blocks() const { return static_cast<int32_t>(holders_.size()); }
  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  int32_t num_idle() const { return num_idle_; }
  int32_t num_used() const { return num_blocks() - num_free() - num_idle(); }
  int32_t num_holders(BlockId block) const { return holders_[static_cast<size_t>(block)]; }
  // Blocks from here on were never taken.
  int32_t num_touched() const { return num_touched_; }

  // The whole state against `holders`, the count that the caller finds for each block, and `idle`, the
  // blocks that it keeps in mind: free + idle + used = total, every block that nobody holds listed once as
  // free or idle, all counts equal. The error says what differs.
  Expected<> check(std::span<const int32_t> holders, std::span<const BlockId> idle = {}) const;

 private:
  int32_t& holders_of_taken(BlockId block);
  void leave_idle(BlockId block);

  std::vector<int32_t> holders_;  // by block
  std::vector<BlockId> free_;     // the back goes next
  int32_t num_idle_ = 0;
  int32_t num_touched_ = 0;
};

}  // namespace quire
