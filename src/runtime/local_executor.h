// The Executor of one process: a ModelRunner on a thread of its own, which is thread 0 of the runner's
// pool. So the engine thread can plan and deliver while a step runs, and sleeps while it waits for one. No
// locks: each side counts steps in an atomic that the other one waits on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "runtime/model_runner.h"
#include "step/executor.h"

namespace quire {

class LocalExecutor final : public Executor {
 public:
  explicit LocalExecutor(std::unique_ptr<ModelRunner> runner);
  ~LocalExecutor() override;  // what is submitted and not begun is not run

  int max_submitted() const override { return 2; }
  void submit(const StepInput& input) override;
  Expected<const StepOutput*> collect() override;

 private:
  void work();

  const std::unique_ptr<ModelRunner> runner_;
  std::array<const StepInput*, 2> inputs_{};    // of the steps under way, by number
  std::array<const StepOutput*, 2> outputs_{};  // the same
  std::atomic<uint32_t> num_submitted_{0};      // engine thread writes; wraps
  std::atomic<uint32_t> num_run_{0};            // the runner's thread writes
  std::atomic<bool> stop_{false};
  uint32_t num_collected_ = 0;  // the engine thread's own
  std::thread thread_;
};

}  // namespace quire
