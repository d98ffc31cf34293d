#include "scheduler/future_demand.h"

#include <algorithm>

namespace quire {

void FutureDemand::clear() {
  groups_.clear();
  sorted_ = true;
  num_blocks_ = num_to_come_ = 0;
}

void FutureDemand::add(const GroupDemand& demand) {
  groups_.push_back(demand);
  num_blocks_ += demand.num_blocks;
  num_to_come_ += int64_t{demand.num_sequences} * demand.num_to_come;
  sorted_ = false;
}

bool FutureDemand::fits(const GroupDemand& newcomer, int64_t num_blocks) {
  const int64_t to_come = num_to_come_ + int64_t{newcomer.num_sequences} * newcomer.num_to_come;
  if (num_blocks_ + newcomer.num_blocks + to_come / block_size_ <= num_blocks) return true;
  if (!sorted_) std::ranges::sort(groups_, std::ranges::greater{}, &GroupDemand::num_to_come);
  sorted_ = true;
  return peak(newcomer) <= num_blocks;
}

// Demand only falls when somebody ends, so its peak is just before an end: those that end later, and the
// one that ends then, have grown by as many tokens as that one had to go.
int64_t FutureDemand::peak(const GroupDemand& newcomer) const {
  int64_t highest = 0, num_blocks = 0, num_sequences = 0;
  const auto visit = [&](const GroupDemand& demand) {
    num_blocks += demand.num_blocks;
    num_sequences += demand.num_sequences;
    highest = std::max(highest, num_blocks + num_sequences * demand.num_to_come / block_size_);
  };
  bool visited = false;
  for (const GroupDemand& demand : groups_) {
    if (!visited && newcomer.num_to_come >= demand.num_to_come) {
      visit(newcomer);
      visited = true;
    }
    visit(demand);
  }
  if (!visited) visit(newcomer);
  return highest;
}

}  // namespace quire
