#include "step/step_input.h"

namespace quire {

void StepInput::clear() {
  ends.clear();
  copies.clear();
  starts.clear();
  forks.clear();
  work.clear();
  block_ids.clear();
  samples.clear();
}

}  // namespace quire
