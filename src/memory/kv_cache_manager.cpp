#include "memory/kv_cache_manager.h"

#include <algorithm>

#include "base/check.h"

namespace quire {

KvCacheManager::KvCacheManager(int32_t num_blocks, int32_t block_size)
    : block_size_(block_size), allocator_(num_blocks), filled_(static_cast<size_t>(num_blocks), 0) {
  CHECK(block_size >= 1, "blocks of {} slots", block_size);
}

const BlockTable& KvCacheManager::table(SequenceId id) const {
  const auto found = tables_.find(id);
  CHECK(found != tables_.end(), "sequence {} has no block table", id);
  return found->second;
}

void KvCacheManager::add(SequenceId id) {
  const bool added = tables_.try_emplace(id).second;
  CHECK(added, "sequence {} has a block table already", id);
}

bool KvCacheManager::append(SequenceId id, int32_t num_tokens, std::vector<BlockCopy>& copies) {
  CHECK(num_tokens >= 1);
  const auto found = tables_.find(id);
  CHECK(found != tables_.end(), "sequence {} has no block table", id);
  BlockTable& table = found->second;

  const bool copy_first = writes_shared_block(table);
  const int64_t end = int64_t{table.num_tokens} + num_tokens;
  const int64_t num_new = blocks_for(end, block_size_) - static_cast<int64_t>(table.blocks.size());
  if (num_new + (copy_first ? 1 : 0) > allocator_.num_free()) return false;

  if (copy_first) {
    const int32_t index = table.num_tokens / block_size_;
    BlockId& entry = table.blocks[static_cast<size_t>(index)];
    const BlockId target = take_block();
    set_filled(target, filled_[static_cast<size_t>(entry)]);
    copies.push_back({.source = entry, .target = target, .slot = -1, .index = index});
    release_block(entry);  // never the last holder: it is shared
    entry = target;
  }
  for (int64_t i = 0; i < num_new; ++i) table.blocks.push_back(take_block());

  const size_t first_written = static_cast<size_t>(table.num_tokens / block_size_);
  table.num_tokens = static_cast<int32_t>(end);
  for (size_t i = first_written; i < table.blocks.size(); ++i) {
    set_filled(table.blocks[i],
               static_cast<int32_t>(std::min<int64_t>(block_size_, end - int64_t(i) * block_size_)));
  }
  return true;
}

int32_t KvCacheManager::tokens_that_fit(SequenceId id, int32_t limit) const {
  const BlockTable& table = this->table(id);
  const int64_t num_free = allocator_.num_free();
  const int64_t room = static_cast<int64_t>(table.blocks.size()) * block_size_ - table.num_tokens;
  int64_t fit = room + num_free * block_size_;
  if (writes_shared_block(table)) fit = num_free == 0 ? 0 : fit - block_size_;
  return static_cast<int32_t>(std::min<int64_t>(limit, fit));
}

void KvCacheManager::fork(SequenceId parent, SequenceId child) {
  BlockTable copy = table(parent);
  for (const BlockId block : copy.blocks) allocator_.add_holder(block);
  const bool added = tables_.try_emplace(child, std::move(copy)).second;
  CHECK(added, "sequence {} has a block table already", child);
}

void KvCacheManager::free(SequenceId id) {
  const auto found = tables_.find(id);
  CHECK(found != tables_.end(), "sequence {} has no block table", id);
  // Last block first, so that a sequence's blocks are taken again in their order.
  const auto& blocks = found->second.blocks;
  for (size_t i = blocks.size(); i-- > 0;) release_block(blocks[i]);
  tables_.erase(found);
}

BlockId KvCacheManager::take_block() {
  const BlockId block = allocator_.allocate();
  CHECK(block != kNoBlock);
  return block;
}

void KvCacheManager::release_block(BlockId block) {
  if (allocator_.release(block)) set_filled(block, 0);
}

bool KvCacheManager::writes_shared_block(const BlockTable& table) const {
  const size_t index = static_cast<size_t>(table.num_tokens / block_size_);
  return index < table.blocks.size() && allocator_.num_holders(table.blocks[index]) > 1;
}

void KvCacheManager::set_filled(BlockId block, int32_t filled) {
  int32_t& current = filled_[static_cast<size_t>(block)];
  slots_filled_ += filled - current;
  current = filled;
}

Expected<> KvCacheManager::check_table(SequenceId id, const BlockTable& table) const {
  const int64_t wanted = blocks_for(table.num_tokens, block_size_);
  if (static_cast<int64_t>(table.blocks.size()) != wanted) {
    return fail(ErrorCode::kInternal, "sequence {} has {} tokens in {} blocks instead of {}", id,
                table.num_tokens, table.blocks.size(), wanted);
  }
  for (size_t i = 0; i < table.blocks.size(); ++i) {
    const BlockId block = table.blocks[i];
    if (block < 0 || block >= num_blocks()) {
      return fail(ErrorCode::kInternal, "sequence {} has block {} of {}", id, block, num_blocks());
    }
    const int64_t tokens = std::min<int64_t>(block_size_, table.num_tokens - int64_t(i) * block_size_);
    if (filled_[static_cast<size_t>(block)] != tokens) {
      return fail(ErrorCode::kInternal, "sequence {} has {} tokens in block {}, which counts {}", id,
                  tokens, block, filled_[static_cast<size_t>(block)]);
    }
  }
  return {};
}

Expected<> KvCacheManager::check() const {
  std::vector<int32_t> holders(filled_.size(), 0);
  std::vector<int64_t> index_of(filled_.size(),
                                -1);  // a block stands at one index in every table that has it
  for (const auto& [id, table] : tables_) {
    if (auto checked = check_table(id, table); !checked) return checked;
    for (size_t i = 0; i < table.blocks.size(); ++i) {
      const auto block = static_cast<size_t>(table.blocks[i]);
      ++holders[block];
      if (index_of[block] != -1 && index_of[block] != static_cast<int64_t>(i)) {
        return fail(ErrorCode::kInternal, "block {} stands at index {} of sequence {} and at {} elsewhere",
                    block, i, id, index_of[block]);
      }
      index_of[block] = static_cast<int64_t>(i);
    }
  }
  if (auto checked = allocator_.check(holders); !checked) return checked;
  int64_t filled = 0;
  for (size_t block = 0; block < filled_.size(); ++block) {
    if (holders[block] == 0 && filled_[block] != 0) {
      return fail(ErrorCode::kInternal, "block {} is free and counts {} filled slots", block,
                  filled_[block]);
    }
    filled += filled_[block];
  }
  if (filled != slots_filled_) {
    return fail(ErrorCode::kInternal, "{} slots are filled, but {} are counted", filled, slots_filled_);
  }
  return {};
}

}  // namespace quire
