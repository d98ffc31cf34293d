// What each tenant (the holder of an API key) was served, so that those who ask at the same time get equal
// shares, whatever number of requests each sends: the virtual token counter of "Fairness in Serving Large
// Language Models" (Sheng et al. 2024). A tenant that comes back from idleness starts at the least of those
// that are there: idle time earns nothing.
//
// A prompt's token costs 1 and a generated one 2, as there; each beam of a search generates its own.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "request/sequence_group.h"

namespace quire {

class FairShares {
 public:
  // A group waits or runs from now on, or has ended.
  void arrive(const SequenceGroup& group);
  void leave(SequenceGroup& group);

  // Counts what the group was served since the last call. Cheap, but not free: called where it matters who
  // is next, not in every step.
  void settle(SequenceGroup& group);

  // More than one tenant is there.
  bool contended() const { return num_present_ > 1; }
  int64_t service(TenantId tenant) const { return accounts_[static_cast<size_t>(tenant)].service; }

 private:
  struct Account {
    int64_t service = 0;
    int32_t num_groups = 0;  // that wait or run
  };

  std::vector<Account> accounts_;  // by tenant
  int32_t num_present_ = 0;        // tenants with groups
};

}  // namespace quire
