// Which full blocks hold which tokens, so that a sequence that begins with the same tokens finds their keys
// and values (Kwon et al. 2023, section 4.4, found by hash as in vLLM's automatic prefix caching). Entries
// stay after the last sequence has let go of the block: it is idle then, and is taken again by a match, or
// evicted when no other block is free, the one idle for longest first.
//
// A digest only leads to an entry. What makes a match is the entry itself: its tokens, and which entry they
// follow. So digests that collide cost a comparison and never a wrong reuse.
//
// Who holds which block is KvCacheManager's matter, which lets go of a sequence's last block first. So an
// idle block is never older than the idle blocks that follow it, the tail of a prefix is evicted before its
// head, and the entry that another one follows is always there. All memory is taken at the start; look-up,
// insertion and eviction are O(1). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "memory/block_allocator.h"
#include "memory/block_hasher.h"
#include "memory/prefix_scopes.h"

namespace quire {

class PrefixCache {
 public:
  PrefixCache(int32_t num_blocks, int32_t block_size, std::shared_ptr<const BlockHasher> hasher);

  // A scope to look up in; every open() needs its close().
  ScopeId open(const PrefixScope& scope) { return scopes_.open(scope, *hasher_, next_serial_++); }
  void close(ScopeId scope) { scopes_.release(scope); }
  PrefixNode root(ScopeId scope) const { return scopes_.root(scope); }

  // The digest of `tokens` (a whole block) after `parent`, and the block cached with both; or kNoBlock.
  BlockDigest digest(const PrefixNode& parent, std::span<const TokenId> tokens) const {
    return hasher_->child(parent.digest, tokens);
  }
  BlockId find(const PrefixNode& parent, const BlockDigest& digest, std::span<const TokenId> tokens) const;

  // Caches `block`, which is held and for whose content find() has nothing: as the first block of a scope,
  // or as the one after a cached block.
  void insert_first(BlockId block, ScopeId scope, const BlockDigest& digest,
                    std::span<const TokenId> tokens);
  void insert_after(BlockId parent, BlockId block, const BlockDigest& digest,
                    std::span<const TokenId> tokens);

  bool contains(BlockId block) const { return entry(block).serial != 0; }
  PrefixNode node(BlockId block) const { return {entry(block).digest, entry(block).serial}; }
  bool begins(BlockId block, ScopeId scope) const {
    return entry(block).parent == ~scope && entry(block).parent_serial == root(scope).serial;
  }
  bool follows(BlockId block, BlockId parent) const {
    return entry(block).parent == parent && entry(block).parent_serial == entry(parent).serial;
  }
  std::span<const TokenId> tokens(BlockId block) const {
    return {tokens_.data() + static_cast<size_t>(block) * static_cast<size_t>(block_size_),
            static_cast<size_t>(block_size_)};
  }

  // The last holder of a cached block has gone; one has come again.
  void make_idle(BlockId block);
  void leave_idle(BlockId block);

  // Forgets the block that has been idle for longest; there must be one.
  BlockId evict();

  int32_t num_cached() const { return num_cached_; }  // blocks, idle or held
  int32_t num_idle() const { return num_idle_; }
  int64_t num_evictions() const { return num_evictions_; }
  size_t num_scopes() const { return scopes_.size(); }
  std::vector<BlockId> idle_blocks() const;  // the next to be evicted first

  // Entries, buckets and the idle list agree; every entry's parent is cached, and not idle if the entry is
  // held, nor idle for longer.
  Expected<> check() const;

 private:
  struct alignas(64) Entry {
    BlockDigest digest = {};
    uint64_t serial = 0;         // 0: the block is not cached
    uint64_t parent_serial = 0;  // of the entry before it, or of the scope's root
    BlockId next_in_bucket = kNoBlock;
    BlockId older = kNoBlock, newer = kNoBlock;  // in the idle list; an older one of itself: it is held
    int32_t parent = 0;                          // the block before it, or ~scope
  };

  const Entry& entry(BlockId block) const { return entries_[static_cast<size_t>(block)]; }
  Entry& entry(BlockId block) { return entries_[static_cast<size_t>(block)]; }
  BlockId& bucket(const BlockDigest& digest);
  size_t bucket_index(const BlockDigest& digest) const;
  void insert(BlockId block, int32_t parent, uint64_t parent_serial, const BlockDigest& digest,
              std::span<const TokenId> tokens);
  void remove_from_bucket(BlockId block);
  bool is_idle(BlockId block) const { return entry(block).older != block; }
  Expected<> check_entry(BlockId block) const;

  const int32_t block_size_;
  const std::shared_ptr<const BlockHasher> hasher_;
  PrefixScopes scopes_;
  std::vector<Entry> entries_;    // by block
  std::vector<TokenId> tokens_;   // [num_blocks, block_size]
  std::vector<BlockId> buckets_;  // by the digest's first bytes; a power of two, at least half are empty
  BlockId oldest_ = kNoBlock, newest_ = kNoBlock;
  uint64_t next_serial_ = 1;
  int32_t num_cached_ = 0, num_idle_ = 0;
  int64_t num_evictions_ = 0;
};

}  // namespace quire
