#include "memory/kv_cache_manager.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace quire {

KvCacheManager::KvCacheManager(int32_t num_blocks, int32_t block_size,
                               std::shared_ptr<const BlockHasher> hasher, int32_t num_swap_slots)
    : block_size_(block_size),
      allocator_(num_blocks),
      block_tokens_(static_cast<size_t>(block_size)),
      pinned_(num_blocks),
      swap_(num_swap_slots) {
  CHECK(block_size >= 1, "blocks of {} slots", block_size);
  if (hasher) cache_ = std::make_unique<PrefixCache>(num_blocks, block_size, std::move(hasher));
}

void KvCacheManager::add(SlotId slot, int64_t expected_tokens) {
  CHECK(slot >= 0 && !contains(slot), "slot {} has a block table already", slot);
  const auto index = static_cast<size_t>(slot);
  if (index >= tables_.size()) {
    tables_.resize(index + 1);
    taken_.resize(index + 1);
    num_cached_.resize(index + 1);
  }
  tables_[index].blocks.reserve(static_cast<size_t>(blocks_for(expected_tokens, block_size_)));
  taken_[index] = true;
  ++num_tables_;
}

bool KvCacheManager::append_blocks(SlotId slot, int32_t num_tokens, std::vector<BlockCopy>& copies) {
  CHECK(num_tokens >= 1 && contains(slot), "{} tokens for slot {}", num_tokens, slot);
  BlockTable& table = tables_[static_cast<size_t>(slot)];
  const bool copy_first = writes_shared_block(table);
  const int64_t end = int64_t{table.num_tokens} + num_tokens;
  const int64_t num_new = blocks_for(end, block_size_) - static_cast<int64_t>(table.blocks.size());
  if (num_new + (copy_first ? 1 : 0) > num_free_blocks()) return false;

  if (copy_first) {
    const int32_t index = table.num_tokens / block_size_;
    BlockId& entry = table.blocks[static_cast<size_t>(index)];
    const BlockId target = take_block();
    slots_filled_ += table.num_tokens % block_size_;
    copies.push_back({.source = entry, .target = target, .slot = -1, .index = index});
    allocator_.release(entry);  // never the last holder: it is shared
    entry = target;
  }
  for (int64_t i = 0; i < num_new; ++i) table.blocks.push_back(take_block());
  table.num_tokens = static_cast<int32_t>(end);
  num_table_entries_ += num_new;
  slots_filled_ += num_tokens;
  make_writable(table);
  return true;
}

int32_t KvCacheManager::tokens_that_fit(SlotId slot, int32_t limit) const {
  const BlockTable& table = this->table(slot);
  const int64_t num_free = num_free_blocks();
  const int64_t room = static_cast<int64_t>(table.blocks.size()) * block_size_ - table.num_tokens;
  int64_t fit = room + num_free * block_size_;
  if (writes_shared_block(table)) fit = num_free == 0 ? 0 : fit - block_size_;
  return static_cast<int32_t>(std::min<int64_t>(limit, fit));
}

void KvCacheManager::fork(SlotId parent, SlotId child) {
  CHECK(contains(parent), "slot {} has no block table", parent);
  add(child);  // may move the tables
  BlockTable& from = tables_[static_cast<size_t>(parent)];
  BlockTable& to = tables_[static_cast<size_t>(child)];
  for (const BlockId block : from.blocks) allocator_.add_holder(block);
  to.blocks.reserve(from.blocks.capacity());
  to.blocks.assign(from.blocks.begin(), from.blocks.end());
  to.num_tokens = from.num_tokens;
  from.num_writable = to.num_writable = 0;
  num_table_entries_ += std::ssize(to.blocks);
  num_cached_[static_cast<size_t>(child)] = num_cached_[static_cast<size_t>(parent)];
}

void KvCacheManager::free(SlotId slot) {
  CHECK(contains(slot), "slot {} has no block table", slot);
  BlockTable& table = tables_[static_cast<size_t>(slot)];
  // Last block first, so that a sequence's blocks are taken again in their order, and of those that are
  // cached the head stays longest.
  for (size_t i = table.blocks.size(); i-- > 0;) {
    if (release(table.blocks[i])) slots_filled_ -= tokens_in_block(table, i);
  }
  num_table_entries_ -= std::ssize(table.blocks);
  table.blocks.clear();
  table.num_tokens = table.num_writable = 0;
  num_cached_[static_cast<size_t>(slot)] = 0;
  taken_[static_cast<size_t>(slot)] = false;
  --num_tables_;
}

BlockId KvCacheManager::take_block() {
  if (allocator_.num_free() == 0 && cache_) allocator_.free_idle(cache_->evict());
  const BlockId block = allocator_.allocate();
  CHECK(block != kNoBlock);
  return block;
}

bool KvCacheManager::release(BlockId block) {
  if (!cache_ || !cache_->contains(block)) return allocator_.release(block);
  if (!allocator_.release_to_idle(block)) return false;
  cache_->make_idle(block);
  return true;
}

void KvCacheManager::hold_cached(BlockId block) {
  if (allocator_.num_holders(block) > 0) {
    allocator_.add_holder(block);
    return;
  }
  cache_->leave_idle(block);
  allocator_.take_idle(block);
  slots_filled_ += block_size_;
}

void KvCacheManager::make_writable(BlockTable& table) const {
  const int64_t end = static_cast<int64_t>(table.blocks.size()) * block_size_;
  table.num_writable = static_cast<int32_t>(std::min<int64_t>(end, std::numeric_limits<int32_t>::max()));
}

bool KvCacheManager::writes_shared_block(const BlockTable& table) const {
  const size_t index = static_cast<size_t>(table.num_tokens / block_size_);
  return index < table.blocks.size() && allocator_.num_holders(table.blocks[index]) > 1;
}

int64_t KvCacheManager::tokens_in_block(const BlockTable& table, size_t index) const {
  return std::min<int64_t>(block_size_, table.num_tokens - static_cast<int64_t>(index) * block_size_);
}

Expected<> KvCacheManager::check_table(SlotId slot, const BlockTable& table) const {
  const int64_t wanted = blocks_for(table.num_tokens, block_size_);
  if (static_cast<int64_t>(table.blocks.size()) != wanted) {
    return fail(ErrorCode::kInternal, "slot {} has {} tokens in {} blocks instead of {}", slot,
                table.num_tokens, table.blocks.size(), wanted);
  }
  for (const BlockId block : table.blocks) {
    if (block < 0 || block >= num_blocks()) {
      return fail(ErrorCode::kInternal, "slot {} has block {} of {}", slot, block, num_blocks());
    }
  }
  if (table.num_writable > table.num_tokens &&
      (writes_shared_block(table) || table.num_writable > wanted * block_size_)) {
    return fail(ErrorCode::kInternal, "slot {} would write up to {} into blocks that it shares or lacks",
                slot, table.num_writable);
  }
  return {};
}

namespace {

// Who holds each block, as tables and pins say it.
struct Census {
  explicit Census(int32_t num_blocks)
      : holders(static_cast<size_t>(num_blocks)), index_of(holders.size()), filled(holders.size()) {}

  Expected<> count(BlockId id, size_t index, int64_t tokens) {
    const auto block = static_cast<size_t>(id);
    if (++holders[block] == 1) {
      index_of[block] = index;
      filled[block] = tokens;
      num_filled += tokens;
    } else if (index_of[block] != index || filled[block] != tokens) {
      return fail(ErrorCode::kInternal, "block {} has {} tokens at index {} and {} at {} elsewhere", block,
                  tokens, index, filled[block], index_of[block]);
    }
    return {};
  }

  std::vector<int32_t> holders;
  std::vector<size_t> index_of;  // a block stands at one index in every table that has it
  std::vector<int64_t> filled;   // and holds as many tokens in each
  int64_t num_filled = 0;
};

}  // namespace

Expected<> KvCacheManager::check() const {
  Census census(num_blocks());
  int64_t num_entries = 0;
  size_t num_tables = 0;
  for (size_t slot = 0; slot < tables_.size(); ++slot) {
    const BlockTable& table = tables_[slot];
    num_tables += taken_[slot] ? 1 : 0;
    if (!taken_[slot] && (table.num_tokens > 0 || table.num_writable > 0 || !table.blocks.empty())) {
      return fail(ErrorCode::kInternal, "slot {} has no table and {} tokens", slot, table.num_tokens);
    }
    if (auto checked = check_table(static_cast<SlotId>(slot), table); !checked) return checked;
    num_entries += std::ssize(table.blocks);
    for (size_t i = 0; i < table.blocks.size(); ++i) {
      if (auto counted = census.count(table.blocks[i], i, tokens_in_block(table, i)); !counted)
        return counted;
    }
  }
  for (const auto& [id, blocks] : pinned_.prefixes()) {
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (auto counted = census.count(blocks[i], i, block_size_); !counted) return counted;
    }
  }
  if (num_tables != num_tables_) {
    return fail(ErrorCode::kInternal, "{} tables, but {} are counted", num_tables, num_tables_);
  }
  if (census.num_filled != slots_filled_) {
    return fail(ErrorCode::kInternal, "{} slots are filled, but {} are counted", census.num_filled,
                slots_filled_);
  }
  if (num_entries != num_table_entries_) {
    return fail(ErrorCode::kInternal, "{} entries in all tables, but {} are counted", num_entries,
                num_table_entries_);
  }
  if (auto checked = swap_.check(); !checked) return checked;
  return cache_ ? check_cache(census.holders) : allocator_.check(census.holders);
}

}  // namespace quire
