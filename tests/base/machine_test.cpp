#include "base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <thread>
#include <vector>

namespace quire {
namespace {

TEST(Machine, CoresAreThoseThisProcessMayUse) {
  const int cores = available_cores();
  EXPECT_GE(cores, 1);
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
  EXPECT_LE(cores, CPU_COUNT(&mask));
}

TEST(Machine, AnAffinityMaskCounts) {
  int pinned = 0;
  std::thread([&] {  // the mask is a thread's own
    cpu_set_t mask, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    pinned = available_cores();
  })
      .join();
  EXPECT_EQ(pinned, 1);
}

TEST(Machine, MemoryIsPlausible) {
  const int64_t available = available_memory_bytes();
  EXPECT_GT(available, int64_t{1} << 20);
  EXPECT_LT(available, int64_t{1} << 50);
}

TEST(Machine, PeakMemoryGrowsWithUse) {
  const int64_t before = peak_resident_bytes();
  EXPECT_GT(before, int64_t{1} << 20);
  constexpr size_t kBytes = 64 << 20;
  std::vector<char> used(kBytes);
  std::memset(used.data(), 1, kBytes);
  EXPECT_EQ(used[kBytes / 2], 1);
  const int64_t after = peak_resident_bytes();
  EXPECT_GE(after, before);
  EXPECT_GE(after, static_cast<int64_t>(kBytes));
}

}  // namespace
}  // namespace quire
