// The seam between the engine and whatever computes: one process, several ranks, or a test's fake.
#pragma once

#include "base/error.h"
#include "step/step_input.h"
#include "step/step_output.h"

namespace quire {

// submit() and collect() are apart so that the next step can be scheduled while one runs. Steps are
// collected in the order they were submitted. Both are called by the engine thread only.
class Executor {
 public:
  virtual ~Executor() = default;

  // How many steps may be submitted and not yet collected.
  virtual int max_submitted() const { return 1; }

  // Takes a step; `input` must stay unchanged until it has been collected. Steps run one after the other,
  // so what a later one writes cannot disturb an earlier one.
  virtual void submit(const StepInput& input) = 0;

  // Waits for the oldest submitted step. The pointer is valid until the next submit(). An error is fatal
  // for the requests in flight, not for the process: the workers then hold no rows (as if every slot had
  // ended and every swap-in been cancelled; what those steps should have swapped out may be lost), the
  // steps submitted after it answer errors too, and the next one starts afresh. Keys and values that
  // earlier steps computed stay where they are.
  virtual Expected<const StepOutput*> collect() = 0;
};

}  // namespace quire
