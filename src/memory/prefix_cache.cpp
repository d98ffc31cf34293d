#include "memory/prefix_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/fetch_ahead.h"

namespace quire {

PrefixCache::PrefixCache(int32_t num_blocks, int32_t block_size, std::shared_ptr<const BlockHasher> hasher)
    : block_size_(block_size),
      hasher_(std::move(hasher)),
      entries_(static_cast<size_t>(num_blocks)),
      tokens_(static_cast<size_t>(num_blocks) * static_cast<size_t>(block_size)),
      buckets_(std::bit_ceil(2 * static_cast<size_t>(num_blocks)), kNoBlock) {
  CHECK(hasher_ != nullptr);
}

size_t PrefixCache::bucket_index(const BlockDigest& digest) const {
  uint64_t first = 0;
  std::memcpy(&first, digest.data(), sizeof first);
  return first & (buckets_.size() - 1);
}

BlockId& PrefixCache::bucket(const BlockDigest& digest) { return buckets_[bucket_index(digest)]; }

BlockId PrefixCache::find(const PrefixNode& parent, const BlockDigest& digest,
                          std::span<const TokenId> tokens) const {
  for (BlockId block = buckets_[bucket_index(digest)]; block != kNoBlock;
       block = entry(block).next_in_bucket) {
    fetch_ahead(this->tokens(block).data());  // in a large pool neither is near: together with the entry
    const Entry& found = entry(block);
    if (found.digest == digest && found.parent_serial == parent.serial &&
        std::ranges::equal(this->tokens(block), tokens)) {
      return block;
    }
  }
  return kNoBlock;
}

void PrefixCache::insert_first(BlockId block, ScopeId scope, const BlockDigest& digest,
                               std::span<const TokenId> tokens) {
  scopes_.add_holder(scope);
  insert(block, ~scope, scopes_.root(scope).serial, digest, tokens);
}

void PrefixCache::insert_after(BlockId parent, BlockId block, const BlockDigest& digest,
                               std::span<const TokenId> tokens) {
  CHECK(contains(parent), "block {} is to follow {}, which is not cached", block, parent);
  insert(block, parent, entry(parent).serial, digest, tokens);
}

void PrefixCache::insert(BlockId block, int32_t parent, uint64_t parent_serial, const BlockDigest& digest,
                         std::span<const TokenId> tokens) {
  CHECK(!contains(block) && std::ssize(tokens) == block_size_, "block {} with {} tokens", block,
        tokens.size());
  BlockId& first = bucket(digest);
  entry(block) = {.digest = digest,
                  .serial = next_serial_++,
                  .parent_serial = parent_serial,
                  .next_in_bucket = std::exchange(first, block),
                  .older = block,
                  .parent = parent};
  std::ranges::copy(tokens, tokens_.begin() + static_cast<std::ptrdiff_t>(block) * block_size_);
  ++num_cached_;
}

void PrefixCache::make_idle(BlockId block) {
  CHECK(contains(block) && !is_idle(block), "block {} is idle already", block);
  Entry& last = entry(block);
  last.older = newest_;
  last.newer = kNoBlock;
  (newest_ == kNoBlock ? oldest_ : entry(newest_).newer) = block;
  newest_ = block;
  ++num_idle_;
}

void PrefixCache::leave_idle(BlockId block) {
  CHECK(contains(block) && is_idle(block), "block {} is held already", block);
  Entry& left = entry(block);
  (left.older == kNoBlock ? oldest_ : entry(left.older).newer) = left.newer;
  (left.newer == kNoBlock ? newest_ : entry(left.newer).older) = left.older;
  left.older = block;
  --num_idle_;
}

BlockId PrefixCache::evict() {
  const BlockId block = oldest_;
  CHECK(block != kNoBlock, "no block is idle");
  leave_idle(block);
  remove_from_bucket(block);
  Entry& evicted = entry(block);
  if (evicted.parent < 0) scopes_.release(~evicted.parent);
  evicted.serial = 0;
  --num_cached_;
  ++num_evictions_;
  return block;
}

void PrefixCache::remove_from_bucket(BlockId block) {
  BlockId* link = &bucket(entry(block).digest);
  while (*link != block) link = &entry(*link).next_in_bucket;
  *link = entry(block).next_in_bucket;
}

std::vector<BlockId> PrefixCache::idle_blocks() const {
  std::vector<BlockId> blocks;
  for (BlockId block = oldest_; block != kNoBlock; block = entry(block).newer) blocks.push_back(block);
  return blocks;
}

Expected<> PrefixCache::check_entry(BlockId block) const {
  const Entry& checked = entry(block);
  BlockId found = buckets_[bucket_index(checked.digest)];
  while (found != kNoBlock && found != block) found = entry(found).next_in_bucket;
  if (found != block) return fail(ErrorCode::kInternal, "block {} is cached and in no bucket", block);
  const bool has_parent = checked.parent < 0 ? scopes_.root(~checked.parent).serial == checked.parent_serial
                                             : entry(checked.parent).serial == checked.parent_serial;
  if (!has_parent) {
    return fail(ErrorCode::kInternal, "block {} follows block {}, which is not cached as it was", block,
                checked.parent);
  }
  if (checked.parent >= 0 && is_idle(checked.parent) && !is_idle(block)) {
    return fail(ErrorCode::kInternal, "block {} is held, but block {} before it is idle", block,
                checked.parent);
  }
  return {};
}

Expected<> PrefixCache::check() const {
  int32_t num_cached = 0;
  for (BlockId block = 0; block < std::ssize(entries_); ++block) {
    if (!contains(block)) continue;
    ++num_cached;
    if (auto checked = check_entry(block); !checked) return checked;
  }
  int32_t num_listed = 0;
  std::vector<bool> listed(entries_.size(), false);
  for (BlockId block = oldest_, before = kNoBlock; block != kNoBlock; block = entry(block).newer) {
    if (++num_listed > num_idle_ || entry(block).older != before || !contains(block)) {
      return fail(ErrorCode::kInternal, "the idle list is broken at block {}", block);
    }
    listed[static_cast<size_t>(block)] = true;
    const BlockId parent = entry(block).parent;
    if (parent >= 0 && listed[static_cast<size_t>(parent)]) {
      return fail(ErrorCode::kInternal, "block {} would be evicted before block {} after it", parent,
                  block);
    }
    before = block;
  }
  if (num_cached != num_cached_ || num_listed != num_idle_) {
    return fail(ErrorCode::kInternal, "{} blocks are cached and {} idle, but {} and {} are counted",
                num_cached, num_listed, num_cached_, num_idle_);
  }
  return {};
}

}  // namespace quire
