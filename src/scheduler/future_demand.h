// The most blocks that a set of groups will need at one time, if each grows by a token a step until it is
// expected to end, and gives all it has back then (the future half of the "past-future scheduler", Gong et
// al. 2025). What admission compares with the pool, so that newcomers seldom push anybody out.
#pragma once

#include <cstdint>
#include <vector>

namespace quire {

struct GroupDemand {
  int64_t num_blocks = 0;     // for the tokens that it has now
  int32_t num_sequences = 0;  // that grow
  int32_t num_to_come = 0;    // tokens of the longest of them
};

class FutureDemand {
 public:
  explicit FutureDemand(int32_t block_size) : block_size_(block_size) {}

  void clear();
  void add(const GroupDemand& demand);
  bool empty() const { return groups_.empty(); }

  // Whether the groups and one more never need more than `num_blocks`. O(groups), and O(1) if there is room
  // for all at their longest.
  bool fits(const GroupDemand& newcomer, int64_t num_blocks);

 private:
  int64_t peak(const GroupDemand& newcomer) const;

  const int32_t block_size_;
  std::vector<GroupDemand> groups_;
  bool sorted_ = true;                        // the longest to go first
  int64_t num_blocks_ = 0, num_to_come_ = 0;  // of all, as if none ended before the last
};

}  // namespace quire
