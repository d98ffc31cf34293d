#include "memory/block_allocator.h"

#include <algorithm>

#include "base/check.h"

namespace quire {

BlockAllocator::BlockAllocator(int32_t num_blocks) {
  CHECK(num_blocks >= 1, "a pool of {} blocks", num_blocks);
  holders_.assign(static_cast<size_t>(num_blocks), 0);
  free_.reserve(static_cast<size_t>(num_blocks));
  for (BlockId block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

BlockId BlockAllocator::allocate() {
  if (free_.empty()) return kNoBlock;
  const BlockId block = free_.back();
  free_.pop_back();
  int32_t& holders = holders_[static_cast<size_t>(block)];
  CHECK(holders == 0, "block {} is free and has {} holders", block, holders);
  holders = 1;
  num_touched_ = std::max(num_touched_, block + 1);
  return block;
}

void BlockAllocator::add_holder(BlockId block) {
  CHECK(block >= 0 && block < num_blocks(), "block {} of {}", block, num_blocks());
  int32_t& holders = holders_[static_cast<size_t>(block)];
  CHECK(holders > 0, "block {} is free and cannot be shared", block);
  ++holders;
}

int32_t& BlockAllocator::holders_of_taken(BlockId block) {
  CHECK(block >= 0 && block < num_blocks(), "block {} of {}", block, num_blocks());
  int32_t& holders = holders_[static_cast<size_t>(block)];
  CHECK(holders > 0, "block {} is freed twice", block);
  return holders;
}

bool BlockAllocator::release(BlockId block) {
  if (--holders_of_taken(block) > 0) return false;
  free_.push_back(block);
  return true;
}

bool BlockAllocator::release_to_idle(BlockId block) {
  if (--holders_of_taken(block) > 0) return false;
  ++num_idle_;
  return true;
}

void BlockAllocator::leave_idle(BlockId block) {
  CHECK(block >= 0 && block < num_blocks() && num_idle_ > 0 && num_holders(block) == 0,
        "block {} is not idle", block);
  --num_idle_;
}

void BlockAllocator::take_idle(BlockId block) {
  leave_idle(block);
  holders_[static_cast<size_t>(block)] = 1;
}

void BlockAllocator::free_idle(BlockId block) {
  leave_idle(block);
  free_.push_back(block);
}

Expected<> BlockAllocator::check(std::span<const int32_t> holders, std::span<const BlockId> idle) const {
  CHECK(holders.size() == holders_.size());
  if (std::ssize(idle) != num_idle_) {
    return fail(ErrorCode::kInternal, "{} blocks are idle, but {} are counted", idle.size(), num_idle_);
  }
  std::vector<bool> listed(holders_.size(), false);
  for (const std::span<const BlockId> list : {std::span<const BlockId>(free_), idle}) {
    for (const BlockId block : list) {
      if (block < 0 || block >= num_blocks()) {
        return fail(ErrorCode::kInternal, "the free list has block {} of {}", block, num_blocks());
      }
      if (listed[static_cast<size_t>(block)]) {
        return fail(ErrorCode::kInternal, "the free list has block {} twice", block);
      }
      listed[static_cast<size_t>(block)] = true;
    }
  }
  for (size_t block = 0; block < holders_.size(); ++block) {
    if (holders_[block] != holders[block]) {
      return fail(ErrorCode::kInternal, "block {} counts {} holders but has {}", block, holders_[block],
                  holders[block]);
    }
    if (listed[block] == (holders_[block] > 0)) {
      return fail(ErrorCode::kInternal, "block {} has {} holders and is {} the free list", block,
                  holders_[block], listed[block] ? "in" : "not in");
    }
  }
  return {};
}

}  // namespace quire
