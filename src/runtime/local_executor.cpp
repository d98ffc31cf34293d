#include "runtime/local_executor.h"

#include <utility>

#include "base/check.h"
#include "base/thread_name.h"

namespace quire {

LocalExecutor::LocalExecutor(std::unique_ptr<ModelRunner> runner)
    : runner_(std::move(runner)), thread_([this] { work(); }) {}

LocalExecutor::~LocalExecutor() {
  stop_.store(true);
  num_submitted_.fetch_add(1);
  num_submitted_.notify_one();
  thread_.join();
}

void LocalExecutor::submit(const StepInput& input) {
  const uint32_t number = num_submitted_.load(std::memory_order_relaxed);
  CHECK(number - num_collected_ < 2, "two steps at a time");
  inputs_[number % 2] = &input;
  num_submitted_.store(number + 1);
  num_submitted_.notify_one();
}

Expected<const StepOutput*> LocalExecutor::collect() {
  CHECK(num_collected_ != num_submitted_.load(std::memory_order_relaxed), "nothing was submitted");
  num_run_.wait(num_collected_);
  return outputs_[num_collected_++ % 2];
}

void LocalExecutor::work() {
  set_thread_name("quire-compute");
  runner_->bind_caller();
  for (uint32_t number = 0;; ++number) {
    num_submitted_.wait(number);
    if (stop_.load()) return;
    outputs_[number % 2] = &runner_->run(*inputs_[number % 2]);
    num_run_.store(number + 1);
    num_run_.notify_one();
  }
}

}  // namespace quire
