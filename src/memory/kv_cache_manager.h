// The books of a paged KV cache: which sequence's tokens have which slots of which blocks. A block is taken
// only when the one before it is full; forks share blocks, and a write into a shared block moves the writer
// to a copy. No tensor is touched here: what must be copied comes out as a BlockCopy.
//
// With a prefix cache, full blocks stay findable by their tokens after the last sequence has let go of them,
// until no other block is free (or, if they are pinned, until they are unpinned); and a sequence whose block
// turns out to hold what a cached one holds moves to that one, which comes out as a BlockEdit.
//
// A sequence is named by its slot in the worker, so its table is found without a search; tables keep their
// capacity from one sequence to the next. One manager serves one KV group. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "memory/block_allocator.h"
#include "memory/block_table.h"
#include "memory/pinned_prefixes.h"
#include "memory/prefix_cache.h"
#include "memory/sequence_tokens.h"
#include "memory/swap_books.h"
#include "step/step_input.h"

namespace quire {

// Cached blocks that hold the beginning of a sequence. Valid until the memory changes.
struct PrefixMatch {
  std::vector<BlockId> blocks;
  int32_t num_idle = 0;  // those of them that nobody holds, which count as free until they are adopted
};

// A sequence that leaves its slot for the swap space, or comes back from there to a slot.
struct SwapMove {
  SlotId slot = 0;
  SequenceId sequence = 0;
  SequenceTokens tokens = {};   // on the way back: all of the sequence, where it may have cached blocks
  int64_t expected_tokens = 0;  // as for KvCacheManager::add
};

class KvCacheManager {
 public:
  // Blocks and their size at least 1. Without a hasher there is no prefix cache, without swap slots nothing
  // can be swapped out.
  KvCacheManager(int32_t num_blocks, int32_t block_size,
                 std::shared_ptr<const BlockHasher> hasher = nullptr, int32_t num_swap_slots = 0);

  // A table without tokens, for a slot that has none; up to `expected_tokens` its list of blocks will not
  // have to grow.
  void add(SlotId slot, int64_t expected_tokens = 0);

  // Slots for `num_tokens` more tokens (>= 1). If they begin in a shared block, its copy is added to
  // `copies` (the worker's slot in it is the caller's to fill in). All or nothing: false, and nothing has
  // changed, if too few blocks are free.
  bool append(SlotId slot, int32_t num_tokens, std::vector<BlockCopy>& copies) {
    BlockTable& table = tables_[static_cast<size_t>(slot)];
    if (num_tokens < 1 || num_tokens > table.num_writable - table.num_tokens) {
      return append_blocks(slot, num_tokens, copies);
    }
    table.num_tokens += num_tokens;
    slots_filled_ += num_tokens;
    return true;
  }

  // The largest count up to `limit` for which append would succeed now.
  int32_t tokens_that_fit(SlotId slot, int32_t limit) const;

  // `child` (without a table) gets all of the parent's blocks, shared.
  void fork(SlotId parent, SlotId child);

  // Forgets the sequence; the blocks that nobody else holds are free again, the cached ones among them last.
  void free(SlotId slot);

  // Moves the tables of one request's sequences to the swap space, each distinct block once, and frees
  // their blocks; what the worker is to copy is added to `swap_outs`. All or nothing: false, and nothing
  // has changed, if too few swap slots are free.
  bool swap_out(RequestId request, std::span<const SwapMove> moves, std::vector<SwapOut>& swap_outs);

  // Tables for sequences that were swapped out, with blocks that they share as before: those that are still
  // cached in `scope` (kNoScope: none), and new ones, which the worker is to read as `swap_ins` says. Their
  // swap slots stay taken: a read may fail. All or nothing: false, and nothing has changed, if too few
  // blocks are free.
  bool swap_in(ScopeId scope, std::span<const SwapMove> moves, std::vector<SwapIn>& swap_ins);

  // Forgets what the sequence has in the swap space, if it has anything.
  void drop_swapped(SequenceId sequence);

  // Null: nothing.
  const SwappedTable* swapped(SequenceId sequence) const { return swap_.find(sequence); }
  const SwapBooks& swap_books() const { return swap_; }

  // Null without a prefix cache: then no scope can be opened, and nothing below be called.
  PrefixCache* prefix_cache() { return cache_.get(); }
  const PrefixCache* prefix_cache() const { return cache_.get(); }

  // The longest run of cached blocks that `tokens` begin with, of at most `max_tokens` tokens.
  void match(ScopeId scope, const SequenceTokens& tokens, int32_t max_tokens, PrefixMatch& match) const;

  // An empty table gets the blocks of a match, and with them their tokens.
  void adopt(SlotId slot, const PrefixMatch& match);

  // Caches the table's full blocks among its first `num_tokens` tokens, which are known to be computed and
  // to be `tokens`. Where another block is cached with the same content the table moves to that one, and
  // `edits` tells the worker so.
  void cache_blocks(SlotId slot, ScopeId scope, const SequenceTokens& tokens, int32_t num_tokens,
                    std::vector<BlockEdit>& edits);

  // The table's blocks, all of them cached, stay so until unpin(): a match always finds them. With unpin()
  // they are like those of any sequence that has ended.
  void pin(RequestId id, SlotId slot);
  void unpin(RequestId id);
  int32_t num_pinned_blocks() const { return pinned_.num_blocks(); }

  bool contains(SlotId slot) const {
    return static_cast<size_t>(slot) < tables_.size() && taken_[static_cast<size_t>(slot)];
  }
  const BlockTable& table(SlotId slot) const { return tables_[static_cast<size_t>(slot)]; }
  size_t num_tables() const { return num_tables_; }

  int32_t block_size() const { return block_size_; }
  int32_t num_blocks() const { return allocator_.num_blocks(); }
  // That can be taken: idle ones too.
  int32_t num_free_blocks() const { return allocator_.num_free() + allocator_.num_idle(); }
  // Blocks from here on were never taken; and how many hold one of those below.
  int32_t num_touched_blocks() const { return allocator_.num_touched(); }
  int32_t num_holders(BlockId block) const { return allocator_.num_holders(block); }

  // Token slots in taken blocks, and those of them that hold a token. A shared block counts once.
  int64_t slots_allocated() const { return int64_t{allocator_.num_used()} * block_size_; }
  int64_t slots_filled() const { return slots_filled_; }

  // Entries of all tables: blocks that the sequences would hold if they shared none.
  int64_t num_table_entries() const { return num_table_entries_; }

  // The whole state in one call, O(blocks + tables): the allocator's books agree with the tables, each
  // table is as long as its tokens need and has no block twice, a shared block stands at one index and is
  // filled alike for all, and the counts of entries and of filled slots are right; the prefix cache's books
  // agree with the allocator's, and what is cached of a table is a chain of full blocks from its first one
  // on; the swap space's books too.
  Expected<> check() const;

  // The same for one table, whose sequence is known: its cached blocks hold its tokens, in its scope.
  Expected<> check_cached(SlotId slot, ScopeId scope, const SequenceTokens& tokens) const;

 private:
  bool append_blocks(SlotId slot, int32_t num_tokens, std::vector<BlockCopy>& copies);
  BlockId take_block();
  void hold_cached(BlockId block);
  bool release(BlockId block);
  BlockId cache_block(SlotId slot, ScopeId scope, const SequenceTokens& tokens, int32_t index);
  void make_writable(BlockTable& table) const;
  // True if the next token goes into a block that others hold too.
  bool writes_shared_block(const BlockTable& table) const;
  // Tokens in the table's block `index`. All that share a block agree: a writer would have copied it.
  int64_t tokens_in_block(const BlockTable& table, size_t index) const;
  Expected<> check_table(SlotId slot, const BlockTable& table) const;
  Expected<> check_cache(std::span<const int32_t> holders) const;
  // That `blocks`, at their indices, are a chain of cached ones.
  Expected<> check_chain(std::span<const BlockId> blocks) const;

  const int32_t block_size_;
  BlockAllocator allocator_;
  std::unique_ptr<PrefixCache> cache_;         // null: off
  mutable std::vector<TokenId> block_tokens_;  // of the block at hand
  PinnedPrefixes pinned_;
  SwapBooks swap_;
  std::vector<BlockTable> tables_;   // by slot
  std::vector<bool> taken_;          // by slot: whether it has a table
  std::vector<int32_t> num_cached_;  // by slot: leading blocks of the table that are cached
  size_t num_tables_ = 0;
  int64_t num_table_entries_ = 0;
  int64_t slots_filled_ = 0;
};

}  // namespace quire
