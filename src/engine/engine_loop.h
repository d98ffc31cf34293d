// The engine's loop: takes commands, schedules and runs steps, and sends out what they bring. All of it
// belongs to one thread; the mailbox is its only door.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "engine/engine_mailbox.h"
#include "engine/engine_metrics.h"
#include "engine/engine_view.h"
#include "engine/llm_engine.h"
#include "engine/step_log.h"
#include "memory/kv_cache_manager.h"
#include "scheduler/scheduler.h"
#include "step/executor.h"

namespace quire {

class EngineLoop {
 public:
  // `clock`, `metrics` and `mailbox` outlive the loop.
  EngineLoop(const LLMEngineOptions& options, std::unique_ptr<Executor> executor, const Clock& clock,
             MetricsRegistry& metrics, EngineMailbox& mailbox);

  // Commands, then one step; false if there was neither. The step after it may be left running.
  bool step();

  // Steps until the mailbox says stop; sleeps while there is nothing to do.
  void run();

  // Ends every request with kAborted, those that are still in the mailbox too.
  void abort_all();

  Expected<> check() const;

 private:
  bool take_commands();
  void obey(AddRequests& command);
  void add(AddRequest& request);
  void obey(const AbortRequest& command);
  void obey(const FinishContinuation& command);
  void obey(const UnpinPrefix& command);
  void obey(const AbortAll& command);
  void obey(const TakeView& command);

  bool run_step();
  // Ends those that have waited too long to run.
  void end_overdue();
  void submit();
  // Collects what is submitted, and drops it.
  void drop_submitted();
  void count_step(const StepInput& input);
  void deliver(const StepOutput& output);
  void fail_running(const Error& error);
  // Ends what is unfinished of the group, with a delta for each continuation.
  void end_group(SequenceGroup& group, FinishReason reason);
  void deliver_search(const StepEvents::Search& search);
  void deliver_embedding(const StepEvents::Pooled& pooled, const StepOutput& output);
  void end_sequence(SequenceGroup& group, Sequence& sequence, FinishReason reason);
  // Brings counts and the snapshot up to date with what has ended; then the ended groups can be forgotten.
  void settle();
  void forget_ended();
  EngineStats stats() const;
  void publish();
  StepInput& next_input() { return inputs_[static_cast<size_t>(num_submitted_ % 2)]; }
  RequestStream& stream_of(const SequenceGroup& group) { return *streams_.at(group.id()); }

  const LLMEngineOptions options_;
  const std::unique_ptr<Executor> executor_;
  const Clock& clock_;
  EngineMailbox& mailbox_;
  EngineMetrics metrics_;
  KvCacheManager memory_;
  Scheduler scheduler_;
  std::unordered_map<RequestId, std::shared_ptr<RequestStream>> streams_;
  SequenceId next_sequence_ = 1;
  int64_t num_submitted_ = 0;
  int64_t num_steps_ = 0;     // that were collected
  int64_t num_admitted_ = 0;  // of the scheduler's, those the mailbox knows of
  StepLog step_log_;

  // Reused from step to step.
  std::vector<EngineCommand> commands_;
  std::array<StepInput, 2> inputs_;  // of the steps submitted, in turn
  StepEvents events_;
  std::vector<std::unique_ptr<SequenceGroup>> ended_;
};

}  // namespace quire
