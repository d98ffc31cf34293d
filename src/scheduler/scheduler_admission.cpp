// Who enters, and who must go when blocks run out.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "scheduler/kv_demand.h"
#include "scheduler/scheduler.h"

namespace quire {

bool Scheduler::admit(int64_t now_ns, int64_t& demand) {
  if (waiting_.empty()) return false;
  SequenceGroup& group = *waiting_.front();
  if (group.num_unfinished() > slots_.num_free()) return false;
  if (demand < 0) {
    demand = 0;
    for (const auto& other : running_) demand += blocks_to_catch_up(*other, memory_.block_size());
  }
  const int64_t needed = demand + blocks_to_enter(group, memory_.block_size());
  if (!running_.empty() && needed > memory_.num_free_blocks())
    return false;  // who is alone fits: check_fits
  for (Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    slots_.take(group, sequence);
    sequence.output.reserve(static_cast<size_t>(group.params()->max_tokens));  // check_fits bounds it
  }
  group.set_state(GroupState::kRunning);
  if (group.times.first_scheduled_ns == kNotYet) {
    group.times.first_scheduled_ns = now_ns;
    ++num_admitted_;
  }
  running_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
}

bool Scheduler::preempt_newer_than(const SequenceGroup& group) {
  SequenceGroup& newest = *running_.back();
  const auto has_work = [this](const Sequence& sequence) { return sequence.last_step == step_id_; };
  if (&newest == &group || std::ranges::any_of(newest.sequences(), has_work)) return false;
  preempt(newest);
  return true;
}

void Scheduler::preempt(SequenceGroup& group) {
  for (Sequence& sequence : group.sequences()) {
    if (!sequence.finished()) release(sequence);
  }
  group.forked = false;
  group.set_state(GroupState::kWaiting);
  ++group.num_preemptions;
  ++num_preemptions_;
  waiting_.push_front(std::move(running_.back()));
  running_.pop_back();
}

}  // namespace quire
