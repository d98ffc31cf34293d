#include "runtime/memory_swap_space.h"

#include <algorithm>
#include <cstring>

#include "runtime/block_checksum.h"

namespace quire {

std::span<std::byte> MemorySwapSpace::slot(SwapSlotId id) const {
  const auto bytes = static_cast<size_t>(cache_.shape().bytes_per_block());
  return {arena_.data() + static_cast<size_t>(id) * bytes, bytes};
}

void MemorySwapSpace::swap_out(std::span<const SwapOut> swap_outs, StepOutput& output) {
  if (swap_outs.empty()) return;
  const int64_t start_ns = clock_.now_ns();
  pool_.share(std::ssize(swap_outs), 1, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto& [block, id] = swap_outs[static_cast<size_t>(i)];
      checksums_[static_cast<size_t>(id)] = copy_with_checksum(cache_.block(block), slot(id));
    }
  });
  output.swap_times.out_ns = clock_.now_ns() - start_ns;
}

void MemorySwapSpace::swap_in(std::span<const SwapIn> swap_ins, StepOutput& output) {
  if (swap_ins.empty()) return;
  const int64_t start_ns = clock_.now_ns();
  intact_.resize(std::max(intact_.size(), swap_ins.size()));
  pool_.share(std::ssize(swap_ins), 1, [&](int, int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const auto& [id, block] = swap_ins[i];
      intact_[i] = copy_with_checksum(slot(id), cache_.block(block)) == checksums_[static_cast<size_t>(id)];
    }
  });
  for (size_t i = 0; i < swap_ins.size(); ++i) {
    (intact_[i] != 0 ? output.swapped_in : output.swap_failures).push_back(swap_ins[i].swap_slot);
  }
  output.swap_times.in_ns = clock_.now_ns() - start_ns;
}

}  // namespace quire
