// The Executor of one process: a ModelRunner, called when its result is collected.
#pragma once

#include <memory>
#include <utility>

#include "runtime/model_runner.h"
#include "step/executor.h"

namespace quire {

class LocalExecutor final : public Executor {
 public:
  explicit LocalExecutor(std::unique_ptr<ModelRunner> runner) : runner_(std::move(runner)) {}

  void submit(const StepInput& input) override;
  Expected<const StepOutput*> collect() override;

 private:
  std::unique_ptr<ModelRunner> runner_;
  const StepInput* input_ = nullptr;  // submitted and not collected
};

}  // namespace quire
