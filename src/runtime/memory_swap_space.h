// SwapSpace in memory: blocks go and come within the step.
#pragma once

#include <vector>

#include "runtime/swap_space.h"
#include "tensor/arena.h"

namespace quire {

class MemorySwapSpace final : public SwapSpace {
 public:
  MemorySwapSpace(int32_t num_slots, Arena arena, CacheEngine& cache, ThreadPool& pool, const Clock& clock)
      : arena_(std::move(arena)),
        checksums_(static_cast<size_t>(num_slots)),
        cache_(cache),
        pool_(pool),
        clock_(clock) {}

  void cancel(std::span<const SwapSlotId>) override {}  // nothing is ever on its way
  void swap_out(std::span<const SwapOut> swap_outs, StepOutput& output) override;
  void swap_in(std::span<const SwapIn> swap_ins, StepOutput& output) override;
  void arrive(bool, StepOutput&) override {}
  const char* name() const override { return "memory"; }

 private:
  std::span<std::byte> slot(SwapSlotId id) const;

  Arena arena_;                      // [num_slots][bytes_per_block]
  std::vector<uint64_t> checksums_;  // by slot
  std::vector<uint8_t> intact_;      // by swap-in of the step
  CacheEngine& cache_;
  ThreadPool& pool_;
  const Clock& clock_;
};

}  // namespace quire
