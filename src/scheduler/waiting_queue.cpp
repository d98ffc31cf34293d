#include "scheduler/waiting_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

bool was_preempted(const SequenceGroup& group) { return group.num_preemptions > 0; }

}  // namespace

int64_t WaitingQueue::place(const SequenceGroup& group) const {
  if (policy_ == SchedulingPolicy::kFcfs) return was_preempted(group) ? 0 : 1;
  return group.times.arrival_ns + group.priority() * kPriorityAgingNs;
}

void WaitingQueue::add(std::unique_ptr<SequenceGroup> group) {
  // New groups mostly go last, preempted ones first.
  const auto after = [this](const auto& a, const auto& b) { return goes_before(*a, *b); };
  if (groups_.empty() || after(groups_.back(), group)) {
    groups_.push_back(std::move(group));
    return;
  }
  const auto at = std::ranges::upper_bound(groups_, group, after);
  groups_.insert(at, std::move(group));
}

SequenceGroup* WaitingQueue::next(const FairShares& shares) const {
  if (groups_.empty()) return nullptr;
  if (!shares.contended()) return groups_.front().get();
  SequenceGroup* best = nullptr;
  for (const auto& group : groups_) {
    if (policy_ == SchedulingPolicy::kFcfs && was_preempted(*group)) return group.get();
    if (best == nullptr || shares.service(group->tenant()) < shares.service(best->tenant())) {
      best = group.get();
    }
  }
  return best;
}

std::unique_ptr<SequenceGroup> WaitingQueue::take(const SequenceGroup& group) {
  const auto found =
      std::ranges::find_if(groups_, [&](const auto& other) { return other.get() == &group; });
  CHECK(found != groups_.end(), "request {} does not wait", group.id());
  auto taken = std::move(*found);
  groups_.erase(found);
  return taken;
}

}  // namespace quire
