// A worker's rows: what it knows of each running sequence, by slot. Changed only by StepInputs and by the
// tokens that the worker itself samples.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"
#include "step/step_input.h"

namespace quire {

struct WorkerRow {
  std::vector<TokenId> tokens;     // prompt and output; grows by what is sampled
  std::vector<BlockId> block_ids;  // block table
  int32_t num_prompt_tokens = 0;
  uint64_t seed = 0;
  std::shared_ptr<const SamplingParams> sampling;  // null: the slot is free
  std::vector<double> pooled;                      // of a row that pools: the sum over num_pooled positions
  int32_t num_pooled = 0;
};

class RowTable {
 public:
  RowTable(int32_t num_slots, int32_t block_size)
      : block_size_(block_size), rows_(static_cast<size_t>(num_slots)) {}

  WorkerRow& row(SlotId slot) { return rows_[static_cast<size_t>(slot)]; }
  const WorkerRow& row(SlotId slot) const { return rows_[static_cast<size_t>(slot)]; }

  // Ends, edits, branches, tokens, copies' table entries, starts, and the new blocks of the step's work.
  void begin_step(const StepInput& input);
  // Forks, which see the blocks of the step's work.
  void fork(std::span<const RowFork> forks);

  // After a failed step: no slot is taken.
  void clear();

 private:
  // So that decoding does not grow its lists.
  void reserve(WorkerRow& row) const;

  const int32_t block_size_;
  std::vector<WorkerRow> rows_;
};

}  // namespace quire
