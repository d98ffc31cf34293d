#include "runtime/local_executor.h"

#include "base/check.h"

namespace quire {

void LocalExecutor::submit(const StepInput& input) {
  CHECK(input_ == nullptr, "one step at a time");
  input_ = &input;
}

Expected<const StepOutput*> LocalExecutor::collect() {
  CHECK(input_ != nullptr, "nothing was submitted");
  return &runner_->run(*std::exchange(input_, nullptr));
}

}  // namespace quire
