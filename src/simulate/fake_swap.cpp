#include "simulate/fake_swap.h"

#include <fmt/format.h>

#include <algorithm>

namespace quire {

FakeSwap::FakeSwap(const FakeSwapOptions& options, int32_t num_blocks, int32_t block_size)
    : options_(options),
      num_blocks_(num_blocks),
      block_size_(static_cast<size_t>(block_size)),
      rng_(options.seed),
      kept_(static_cast<size_t>(options.num_slots) * block_size_),
      lost_(static_cast<size_t>(options.num_slots), true) {}

std::string FakeSwap::cancel(std::span<const SwapSlotId> slots) {
  for (const SwapSlotId slot : slots) {
    if (!is_slot(slot)) return fmt::format("swap slot {} is cancelled", slot);
    std::erase_if(arriving_, [&](const Arriving& read) { return read.swap_in.swap_slot == slot; });
  }
  return {};
}

std::string FakeSwap::write(std::span<const SwapOut> swap_outs, std::span<const uint64_t> cells,
                            StepOutput& output) {
  for (const auto& [block, slot] : swap_outs) {
    if (!is_slot(slot) || block < 0 || block >= num_blocks_) {
      return fmt::format("block {} goes to swap slot {}", block, slot);
    }
    const auto reads = [&](const Arriving& read) { return read.swap_in.swap_slot == slot; };
    if (std::ranges::any_of(arriving_, reads))
      return fmt::format("swap slot {} is written while read", slot);
    const auto source = cells.subspan(static_cast<size_t>(block) * block_size_, block_size_);
    const auto target = std::span(kept_).subspan(static_cast<size_t>(slot) * block_size_, block_size_);
    std::ranges::copy(source, target.begin());
    const bool fails_now = fails();
    lost_[static_cast<size_t>(slot)] = fails_now;
    if (!fails_now) continue;
    std::ranges::fill(target, 0);
    output.swap_failures.push_back(slot);
  }
  return {};
}

std::string FakeSwap::start_reads(std::span<const SwapIn> swap_ins) {
  for (const SwapIn& swap_in : swap_ins) {
    if (!is_slot(swap_in.swap_slot) || swap_in.block < 0 || swap_in.block >= num_blocks_) {
      return fmt::format("swap slot {} comes to block {}", swap_in.swap_slot, swap_in.block);
    }
    const auto clashes = [&](const Arriving& read) {
      return read.swap_in.swap_slot == swap_in.swap_slot || read.swap_in.block == swap_in.block;
    };
    if (std::ranges::any_of(arriving_, clashes)) {
      return fmt::format("swap slot {} or block {} is on its way already", swap_in.swap_slot,
                         swap_in.block);
    }
    const uint64_t steps = rng_.below(static_cast<uint64_t>(options_.max_delay_steps) + 1);
    arriving_.push_back({swap_in, steps});
  }
  return {};
}

void FakeSwap::arrive(bool has_work, std::span<uint64_t> cells, StepOutput& output) {
  if (arriving_.empty()) return;
  uint64_t passed = 0;  // a step without work waits for the first
  if (!has_work) passed = std::ranges::min_element(arriving_, {}, &Arriving::steps_left)->steps_left;
  for (Arriving& read : arriving_) {
    read.steps_left -= std::min(read.steps_left, passed);
    if (read.steps_left == 0) settle(read.swap_in, cells, output);
  }
  std::erase_if(arriving_, [](const Arriving& read) { return read.steps_left == 0; });
  for (Arriving& read : arriving_) --read.steps_left;
}

void FakeSwap::settle(const SwapIn& swap_in, std::span<uint64_t> cells, StepOutput& output) {
  const auto slot = static_cast<size_t>(swap_in.swap_slot);
  if (lost_[slot] || fails()) {
    output.swap_failures.push_back(swap_in.swap_slot);
    return;
  }
  const auto target = cells.subspan(static_cast<size_t>(swap_in.block) * block_size_, block_size_);
  std::ranges::copy(std::span(kept_).subspan(slot * block_size_, block_size_), target.begin());
  output.swapped_in.push_back(swap_in.swap_slot);
}

bool FakeSwap::is_target(BlockId block) const {
  return std::ranges::any_of(arriving_, [&](const Arriving& read) { return read.swap_in.block == block; });
}

}  // namespace quire
