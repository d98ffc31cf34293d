// Groups that wait to run, and who of them is next. Two orders: by arrival, or by priority, where a lower
// number goes first and a whole level of it weighs as much as kPriorityAgingNs of waiting, so that nobody
// waits forever. A preempted group goes back to the place that it had; by arrival that is before all who
// have not run. Where several tenants wait, the turn is theirs in fair shares (fair_shares.h), and the order
// above decides within a tenant; but by arrival preempted groups come first, whoever's they are.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "request/sequence_group.h"
#include "scheduler/fair_shares.h"

namespace quire {

enum class SchedulingPolicy : uint8_t { kFcfs, kPriority };

// What one level of priority is worth.
inline constexpr int64_t kPriorityAgingNs = 60'000'000'000;

class WaitingQueue {
 public:
  using Groups = std::deque<std::unique_ptr<SequenceGroup>>;

  explicit WaitingQueue(SchedulingPolicy policy) : policy_(policy) {}

  // A group that is new, or preempted.
  void add(std::unique_ptr<SequenceGroup> group);

  // Whose turn it is; null if nobody waits.
  SequenceGroup* next(const FairShares& shares) const;

  // Takes out one that is in it.
  std::unique_ptr<SequenceGroup> take(const SequenceGroup& group);

  // Whether `a` enters before `b`, and is preempted after it, if both are of one tenant.
  bool goes_before(const SequenceGroup& a, const SequenceGroup& b) const {
    return place(a) != place(b) ? place(a) < place(b) : a.id() < b.id();
  }

  bool empty() const { return groups_.empty(); }
  size_t size() const { return groups_.size(); }
  const Groups& groups() const { return groups_; }  // in order

 private:
  int64_t place(const SequenceGroup& group) const;

  const SchedulingPolicy policy_;
  Groups groups_;
};

}  // namespace quire
