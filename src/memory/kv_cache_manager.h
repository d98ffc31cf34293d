// The books of a paged KV cache: which sequence's tokens have which slots of which blocks. A block is taken
// only when the one before it is full; forks share blocks, and a write into a shared block moves the writer
// to a copy. No tensor is touched here: what must be copied comes out as a BlockCopy.
//
// One manager serves one KV group. One thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "memory/block_allocator.h"
#include "memory/block_table.h"
#include "step/step_input.h"

namespace quire {

class KvCacheManager {
 public:
  // Both at least 1.
  KvCacheManager(int32_t num_blocks, int32_t block_size);

  // A table without tokens. `id` must be new.
  void add(SequenceId id);

  // Slots for `num_tokens` more tokens (>= 1). If they begin in a shared block, its copy is added to
  // `copies` (the worker's slot in it is the caller's to fill in). All or nothing: false, and nothing has
  // changed, if too few blocks are free.
  bool append(SequenceId id, int32_t num_tokens, std::vector<BlockCopy>& copies);

  // The largest count up to `limit` for which append would succeed now.
  int32_t tokens_that_fit(SequenceId id, int32_t limit) const;

  // `child` (new) gets all of the parent's blocks, shared.
  void fork(SequenceId parent, SequenceId child);

  // Forgets the sequence; the blocks that nobody else holds are free again.
  void free(SequenceId id);

  bool contains(SequenceId id) const { return tables_.contains(id); }
  const BlockTable& table(SequenceId id) const;
  size_t num_tables() const { return tables_.size(); }

  int32_t block_size() const { return block_size_; }
  int32_t num_blocks() const { return allocator_.num_blocks(); }
  int32_t num_free_blocks() const { return allocator_.num_free(); }

  // Token slots in taken blocks, and those of them that hold a token. A shared block counts once.
  int64_t slots_allocated() const { return int64_t{allocator_.num_used()} * block_size_; }
  int64_t slots_filled() const { return slots_filled_; }

  // The whole state in one call, O(blocks + tables): the allocator's books agree with the tables, each
  // table is as long as its tokens need and has no block twice, a shared block stands at one index, and the
  // counts of filled slots are right.
  Expected<> check() const;

 private:
  BlockId take_block();
  void release_block(BlockId block);
  // True if the next token goes into a block that others hold too.
  bool writes_shared_block(const BlockTable& table) const;
  void set_filled(BlockId block, int32_t filled);
  Expected<> check_table(SequenceId id, const BlockTable& table) const;

  const int32_t block_size_;
  BlockAllocator allocator_;
  std::unordered_map<SequenceId, BlockTable> tables_;
  std::vector<int32_t> filled_;  // by block: slots that hold a token; 0 for free blocks
  int64_t slots_filled_ = 0;     // the sum of filled_
};

}  // namespace quire
