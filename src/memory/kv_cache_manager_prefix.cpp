// KvCacheManager's side of the prefix cache.
#include <algorithm>

#include "base/check.h"
#include "memory/kv_cache_manager.h"

namespace quire {

void KvCacheManager::match(ScopeId scope, const SequenceTokens& tokens, int32_t max_tokens,
                           PrefixMatch& match) const {
  match.blocks.clear();
  match.num_idle = 0;
  PrefixNode parent = cache_->root(scope);
  const int32_t last = std::min(max_tokens, tokens.size()) - block_size_;
  for (int32_t first = 0; first <= last; first += block_size_) {
    tokens.copy(first, block_tokens_);
    const BlockId block = cache_->find(parent, cache_->digest(parent, block_tokens_), block_tokens_);
    if (block == kNoBlock) return;
    match.blocks.push_back(block);
    match.num_idle += allocator_.num_holders(block) == 0 ? 1 : 0;
    parent = cache_->node(block);
  }
}

void KvCacheManager::adopt(SlotId slot, const PrefixMatch& match) {
  CHECK(contains(slot) && table(slot).blocks.empty(), "slot {} has blocks already", slot);
  BlockTable& table = tables_[static_cast<size_t>(slot)];
  for (const BlockId block : match.blocks) {
    hold_cached(block);
    table.blocks.push_back(block);
  }
  num_table_entries_ += std::ssize(match.blocks);
  num_cached_[static_cast<size_t>(slot)] = static_cast<int32_t>(match.blocks.size());
  table.num_tokens = num_cached_[static_cast<size_t>(slot)] * block_size_;
}

void KvCacheManager::cache_blocks(SlotId slot, ScopeId scope, const SequenceTokens& tokens,
                                  int32_t num_tokens, std::vector<BlockEdit>& edits) {
  CHECK(contains(slot) && num_tokens <= std::min(table(slot).num_tokens, tokens.size()),
        "slot {} cannot cache {} tokens", slot, num_tokens);
  BlockTable& table = tables_[static_cast<size_t>(slot)];
  int32_t& num_cached = num_cached_[static_cast<size_t>(slot)];
  for (; num_cached < num_tokens / block_size_; ++num_cached) {
    BlockId& entry = table.blocks[static_cast<size_t>(num_cached)];
    if (cache_->contains(entry)) continue;  // by a fork that shares it
    const BlockId cached = cache_block(slot, scope, tokens, num_cached);
    if (cached == entry) continue;
    hold_cached(cached);
    if (release(entry)) slots_filled_ -= block_size_;
    entry = cached;
    edits.push_back({.slot = slot, .index = num_cached, .block = cached});
  }
}

// The block that is cached with the content of the table's block `index`: this one, if there was none.
BlockId KvCacheManager::cache_block(SlotId slot, ScopeId scope, const SequenceTokens& tokens,
                                    int32_t index) {
  const auto& blocks = table(slot).blocks;
  const auto here = static_cast<size_t>(index);
  const PrefixNode parent = index == 0 ? cache_->root(scope) : cache_->node(blocks[here - 1]);
  tokens.copy(index * block_size_, block_tokens_);
  const BlockDigest digest = cache_->digest(parent, block_tokens_);
  if (const BlockId found = cache_->find(parent, digest, block_tokens_); found != kNoBlock) return found;
  if (index == 0) {
    cache_->insert_first(blocks[here], scope, digest, block_tokens_);
  } else {
    cache_->insert_after(blocks[here - 1], blocks[here], digest, block_tokens_);
  }
  return blocks[here];
}

void KvCacheManager::pin(RequestId id, SlotId slot) {
  const auto& blocks = table(slot).blocks;
  CHECK(num_cached_[static_cast<size_t>(slot)] == std::ssize(blocks), "slot {} is not cached to its end",
        slot);
  for (const BlockId block : blocks) hold_cached(block);
  pinned_.add(id, blocks);
}

void KvCacheManager::unpin(RequestId id) {
  const auto blocks = pinned_.take(id);
  for (size_t i = blocks.size(); i-- > 0;) {  // last one first, as in free()
    if (release(blocks[i])) slots_filled_ -= block_size_;
  }
}

Expected<> KvCacheManager::check_chain(std::span<const BlockId> blocks) const {
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (!cache_->contains(blocks[i]) || (i > 0 && !cache_->follows(blocks[i], blocks[i - 1]))) {
      return fail(ErrorCode::kInternal, "block {} stands at {}, where it is not cached", blocks[i], i);
    }
  }
  return {};
}

Expected<> KvCacheManager::check_cache(std::span<const int32_t> holders) const {
  if (auto checked = cache_->check(); !checked) return checked;
  for (size_t slot = 0; slot < tables_.size(); ++slot) {
    const BlockTable& table = tables_[slot];
    if (num_cached_[slot] > table.num_tokens / block_size_) {
      return fail(ErrorCode::kInternal, "slot {} has {} tokens and {} cached blocks", slot,
                  table.num_tokens, num_cached_[slot]);
    }
    const auto cached = std::span(table.blocks).first(static_cast<size_t>(num_cached_[slot]));
    if (auto checked = check_chain(cached); !checked) return checked;
  }
  for (const auto& [id, blocks] : pinned_.prefixes()) {
    if (auto checked = check_chain(blocks); !checked) return checked;
  }
  return allocator_.check(holders, cache_->idle_blocks());
}

Expected<> KvCacheManager::check_cached(SlotId slot, ScopeId scope, const SequenceTokens& tokens) const {
  for (int32_t i = 0; i < num_cached_[static_cast<size_t>(slot)]; ++i) {
    const BlockId block = table(slot).blocks[static_cast<size_t>(i)];
    if (i == 0 && !cache_->begins(block, scope)) {
      return fail(ErrorCode::kInternal, "block {} of slot {} is cached in another scope", block, slot);
    }
    tokens.copy(i * block_size_, block_tokens_);
    if (!std::ranges::equal(cache_->tokens(block), block_tokens_)) {
      return fail(ErrorCode::kInternal, "block {} of slot {} is cached with other tokens", block, slot);
    }
  }
  return {};
}

}  // namespace quire
