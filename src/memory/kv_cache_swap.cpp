// KvCacheManager::swap_out and swap_in: a group's tables move as a whole, shared blocks once.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "memory/kv_cache_manager.h"

namespace quire {

bool KvCacheManager::swap_out(RequestId request, std::span<const SwapMove> moves,
                              std::vector<SwapOut>& swap_outs) {
  std::unordered_map<BlockId, SwapSlotId> swap_slot_of;
  for (const SwapMove& move : moves) {
    CHECK(contains(move.slot), "slot {} has no block table", move.slot);
    for (const BlockId block : table(move.slot).blocks) swap_slot_of.try_emplace(block, kNoSwapSlot);
  }
  if (std::ssize(swap_slot_of) > swap_.num_free()) return false;

  for (const SwapMove& move : moves) {
    SwappedTable swapped{.request = request, .swap_slots = {}, .num_tokens = table(move.slot).num_tokens};
    for (const BlockId block : table(move.slot).blocks) {
      SwapSlotId& swap_slot = swap_slot_of.at(block);
      if (swap_slot == kNoSwapSlot) {
        swap_slot = swap_.allocate();
        swap_outs.push_back({.block = block, .swap_slot = swap_slot});
      }
      swapped.swap_slots.push_back(swap_slot);
    }
    swap_.add(move.sequence, std::move(swapped));
  }
  for (const SwapMove& move : moves) free(move.slot);
  return true;
}

bool KvCacheManager::swap_in(ScopeId scope, std::span<const SwapMove> moves,
                             std::vector<SwapIn>& swap_ins) {
  std::unordered_map<SwapSlotId, BlockId> block_of;  // kNoBlock: one must be read
  std::vector<PrefixMatch> matches(moves.size());
  int64_t num_idle = 0;  // of the blocks that are still cached
  for (size_t i = 0; i < moves.size(); ++i) {
    const SwappedTable* swapped = this->swapped(moves[i].sequence);
    CHECK(swapped != nullptr, "sequence {} is not in the swap space", moves[i].sequence);
    if (cache_ && scope != kNoScope) match(scope, moves[i].tokens, swapped->num_tokens, matches[i]);
    const auto& cached = matches[i].blocks;
    for (size_t index = 0; index < swapped->swap_slots.size(); ++index) {
      const BlockId block = index < cached.size() ? cached[index] : kNoBlock;
      const bool is_new = block_of.try_emplace(swapped->swap_slots[index], block).second;
      if (is_new && block != kNoBlock && allocator_.num_holders(block) == 0) ++num_idle;
    }
  }
  const auto num_read =
      std::ranges::count_if(block_of, [](const auto& entry) { return entry.second == kNoBlock; });
  if (num_read + num_idle > num_free_blocks()) return false;

  for (size_t i = 0; i < moves.size(); ++i) {  // first, so that nothing that is found is evicted
    add(moves[i].slot, moves[i].expected_tokens);
    adopt(moves[i].slot, matches[i]);
  }
  for (const SwapMove& move : moves) {
    const SwappedTable& swapped = *this->swapped(move.sequence);
    BlockTable& table = tables_[static_cast<size_t>(move.slot)];
    table.num_tokens = swapped.num_tokens;
    for (size_t index = table.blocks.size(); index < swapped.swap_slots.size(); ++index) {
      BlockId& block = block_of.at(swapped.swap_slots[index]);
      if (block == kNoBlock) {
        block = take_block();
        slots_filled_ += tokens_in_block(table, index);
        swap_ins.push_back({.swap_slot = swapped.swap_slots[index], .block = block});
      } else {
        allocator_.add_holder(block);
      }
      table.blocks.push_back(block);
      ++num_table_entries_;
    }
  }
  return true;
}

void KvCacheManager::drop_swapped(SequenceId sequence) {
  if (swap_.find(sequence) != nullptr) swap_.remove(sequence);
}

}  // namespace quire
