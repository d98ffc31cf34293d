// A swap space without storage: swap slots keep the histories that FakeExecutor's blocks hold, contents go
// out and come in after a number of steps, and are lost as told. Draws are a function of the seed and the
// order of the steps.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "step/step_input.h"
#include "step/step_output.h"

namespace quire {

struct FakeSwapOptions {
  int32_t num_slots = 0;
  int32_t max_delay_steps = 0;  // of a swap-in; 0: it arrives in the step that asks for it
  double failure_rate = 0;      // of each write, and of each read
  uint64_t seed = 0;
};

class FakeSwap {
 public:
  FakeSwap(const FakeSwapOptions& options, int32_t num_blocks, int32_t block_size);

  bool empty() const { return arriving_.empty(); }  // nothing is on its way in

  // The parts of a step; each returns what rule was broken, or an empty string. `cells` are the blocks'
  // histories: [num_blocks, block_size].
  std::string cancel(std::span<const SwapSlotId> slots);
  std::string write(std::span<const SwapOut> swap_outs, std::span<const uint64_t> cells,
                    StepOutput& output);
  std::string start_reads(std::span<const SwapIn> swap_ins);
  // The step has ended: contents whose time has come arrive, at least one if the step had no work.
  void arrive(bool has_work, std::span<uint64_t> cells, StepOutput& output);

  // True if a block is being read into: nobody may name it.
  bool is_target(BlockId block) const;
  // A failed step: nothing is on its way any more.
  void drop() { arriving_.clear(); }

 private:
  struct Arriving {
    SwapIn swap_in;
    uint64_t steps_left = 0;
  };

  bool is_slot(SwapSlotId slot) const { return slot >= 0 && slot < options_.num_slots; }
  bool fails() { return rng_.uniform() < options_.failure_rate; }
  void settle(const SwapIn& swap_in, std::span<uint64_t> cells, StepOutput& output);

  const FakeSwapOptions options_;
  const int32_t num_blocks_;
  const size_t block_size_;
  Rng rng_;
  std::vector<uint64_t> kept_;  // [num_slots, block_size]
  std::vector<bool> lost_;      // by slot: what was written is not there
  std::vector<Arriving> arriving_;
};

}  // namespace quire
