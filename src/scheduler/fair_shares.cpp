#include "scheduler/fair_shares.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

constexpr int64_t kPromptCost = 1, kOutputCost = 2;

int64_t service_of(const SequenceGroup& group) {
  if (group.times.first_scheduled_ns == kNotYet) return 0;
  int64_t cost = kPromptCost * group.num_prompt_tokens();
  for (const Sequence& sequence : group.sequences()) {
    cost += kOutputCost * static_cast<int64_t>(sequence.output.size());
  }
  return cost;
}

}  // namespace

void FairShares::arrive(const SequenceGroup& group) {
  const auto tenant = static_cast<size_t>(group.tenant());
  if (tenant >= accounts_.size()) accounts_.resize(tenant + 1);
  Account& account = accounts_[tenant];
  if (account.num_groups++ > 0) return;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Account& other : accounts_) {
    if (&other != &account && other.num_groups > 0) least = std::min(least, other.service);
  }
  if (num_present_++ > 0) account.service = std::max(account.service, least);
}

void FairShares::leave(SequenceGroup& group) {
  settle(group);
  Account& account = accounts_[static_cast<size_t>(group.tenant())];
  CHECK(account.num_groups > 0, "tenant {} has no groups", group.tenant());
  if (--account.num_groups == 0) --num_present_;
}

void FairShares::settle(SequenceGroup& group) {
  // Never less than before: beams that end leave only the results' tokens.
  const int64_t service = std::max(service_of(group), group.settled_service);
  accounts_[static_cast<size_t>(group.tenant())].service +=
      service - std::exchange(group.settled_service, service);
}

}  // namespace quire
