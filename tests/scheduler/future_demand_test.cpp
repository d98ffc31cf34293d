#include "scheduler/future_demand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"

namespace quire {
namespace {

// Blocks that are needed at one time, step by step.
int64_t count_peak(const std::vector<GroupDemand>& groups, int64_t block_size) {
  int64_t highest = 0;
  for (int64_t step = 0; step <= 64; ++step) {
    int64_t blocks = 0, sequences = 0;
    for (const GroupDemand& group : groups) {
      if (group.num_to_come < step) continue;
      blocks += group.num_blocks;
      sequences += group.num_sequences;
    }
    highest = std::max(highest, blocks + sequences * step / block_size);
  }
  return highest;
}

TEST(FutureDemand, WhoEndsEarlyMakesRoomForWhoGrows) {
  FutureDemand demand(4);
  demand.add({.num_blocks = 5, .num_sequences = 1, .num_to_come = 4});
  // Until the first ends they need 5 + 3 and two more; then 3 + 20 / 4 alone.
  const GroupDemand newcomer{.num_blocks = 3, .num_sequences = 1, .num_to_come = 20};
  EXPECT_FALSE(demand.fits(newcomer, 9));
  EXPECT_TRUE(demand.fits(newcomer, 10));
  demand.clear();
  EXPECT_FALSE(demand.fits(newcomer, 7));
  EXPECT_TRUE(demand.fits(newcomer, 8));
}

TEST(FutureDemand, EqualsTheCountStepByStep) {
  Rng rng(7);
  for (int round = 0; round < 500; ++round) {
    const auto block_size = static_cast<int32_t>(1 + rng.below(8));
    FutureDemand demand(block_size);
    std::vector<GroupDemand> groups;
    const auto draw = [&] {
      return GroupDemand{.num_blocks = static_cast<int64_t>(1 + rng.below(20)),
                         .num_sequences = static_cast<int32_t>(1 + rng.below(3)),
                         .num_to_come = static_cast<int32_t>(1 + rng.below(60))};
    };
    for (uint64_t i = rng.below(10); i > 0; --i) {
      groups.push_back(draw());
      demand.add(groups.back());
    }
    const GroupDemand newcomer = draw();
    groups.push_back(newcomer);
    const int64_t peak = count_peak(groups, block_size);
    EXPECT_TRUE(demand.fits(newcomer, peak)) << round;
    EXPECT_FALSE(demand.fits(newcomer, peak - 1)) << round;
  }
}

}  // namespace
}  // namespace quire
