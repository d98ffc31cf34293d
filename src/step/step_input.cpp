#include "step/step_input.h"

namespace quire {

void StepInput::clear() {
  ends.clear();
  copies.clear();
  starts.clear();
  work.clear();
  block_ids.clear();
  forks.clear();
  samples.clear();
}

}  // namespace quire
