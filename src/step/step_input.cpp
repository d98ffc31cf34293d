#include "step/step_input.h"

namespace quire {

void StepInput::clear() {
  ends.clear();
  swap_cancels.clear();
  swap_outs.clear();
  edits.clear();
  branches.clear();
  tokens.clear();
  copies.clear();
  swap_ins.clear();
  starts.clear();
  work.clear();
  block_ids.clear();
  forks.clear();
  samples.clear();
}

void StepInput::reserve(int32_t num_rows) {
  const auto rows = static_cast<size_t>(num_rows);
  ends.reserve(rows);
  edits.reserve(rows);
  copies.reserve(rows);
  work.reserve(rows);
  block_ids.reserve(rows);
  samples.reserve(rows);
}

}  // namespace quire
