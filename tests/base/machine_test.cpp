#include "base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

// A machine's files in a folder of their own, removed at the end.
class FakeMachine {
 public:
  MachineRoots roots() const {
    return {.proc = folder_.path() / "proc",
            .cgroup = folder_.path() / "cgroup",
            .nodes = folder_.path() / "node"};
  }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  void group_v2(const std::string& group, const std::string& max, int64_t current,
                int64_t inactive_file) const {
    const std::string folder = "cgroup" + group;
    write(folder + "/memory.max", max + "\n");
    write(folder + "/memory.current", std::to_string(current) + "\n");
    write(folder + "/memory.stat", "anon 5\ninactive_file " + std::to_string(inactive_file) + "\n");
  }
  void group_v1(const std::string& group, int64_t limit, int64_t usage, int64_t inactive_file) const {
    const std::string folder = "cgroup/memory" + group;
    write(folder + "/memory.limit_in_bytes", std::to_string(limit) + "\n");
    write(folder + "/memory.usage_in_bytes", std::to_string(usage) + "\n");
    write(folder + "/memory.stat",
          "inactive_file 1\ntotal_inactive_file " + std::to_string(inactive_file) + "\n");
  }

 private:
  TempFolder folder_;
};

constexpr int64_t kUnlimitedV1 = 9223372036854771712;  // what v1 shows for no limit

TEST(Machine, TheFullestGroupOfV2SaysHowMuchMemoryIsFree) {
  const FakeMachine machine;
  machine.write("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 8000 kB\n");
  machine.write("proc/self/cgroup", "0::/slice/unit/run\n");
  EXPECT_EQ(available_memory_bytes(machine.roots()), 8000 * 1024);
  machine.group_v2("/slice/unit/run", "6000000", 1000000, 500000);
  EXPECT_EQ(available_memory_bytes(machine.roots()), 5500000);
  machine.group_v2("/slice", "9000000", 6000000, 1000000);  // a larger limit with less left
  EXPECT_EQ(available_memory_bytes(machine.roots()), 4000000);
  machine.group_v2("/slice/unit", "max", 6000000, 0);
  machine.group_v2("/slice/other", "100", 0, 0);  // not this process's
  EXPECT_EQ(available_memory_bytes(machine.roots()), 4000000);
  machine.group_v2("", "3000000", 1000000, 0);  // a container's root
  EXPECT_EQ(available_memory_bytes(machine.roots()), 2000000);
  machine.group_v2("/slice/unit/run", "6000000", 7000000, 500000);
  EXPECT_EQ(available_memory_bytes(machine.roots()), 1);
}

TEST(Machine, TheFullestGroupOfV1SaysHowMuchMemoryIsFree) {
  const FakeMachine machine;
  machine.write("proc/self/cgroup",
                "9:name=systemd:/wrong\n4:pids,memory:/box/a:b\n1:cpu,cpuacct:/wrong\n0::/wrong\n");
  EXPECT_EQ(available_memory_bytes(machine.roots()), 0);
  machine.group_v1("", kUnlimitedV1, 100, 0);
  machine.group_v1("/wrong", 100, 0, 0);
  EXPECT_EQ(available_memory_bytes(machine.roots()), 0);
  machine.group_v1("/box/a:b", 5000, 2000, 1000);
  EXPECT_EQ(available_memory_bytes(machine.roots()), 4000);
  machine.group_v1("/box", 7000, 6000, 500);
  EXPECT_EQ(available_memory_bytes(machine.roots()), 1500);
}

TEST(Machine, AGroupThatIsNotShownLeavesTheRootsLimit) {
  const FakeMachine machine;
  machine.group_v2("", "3000", 1000, 0);
  machine.write("cgroup/cpu.max", "150000 100000\n");
  for (const char* own : {"", "0::/\n", "0::/docker/0123\n", "0::/../other\n", "nonsense\n0:\n"}) {
    machine.write("proc/self/cgroup", own);
    EXPECT_EQ(available_memory_bytes(machine.roots()), 2000) << own;
    EXPECT_EQ(cpu_quota(machine.roots()), 1.5) << own;
  }
}

TEST(Machine, TheLeastCpuQuotaOfItsGroupsCounts) {
  const FakeMachine v2;
  v2.write("proc/self/cgroup", "0::/a/b\n");
  EXPECT_FALSE(cpu_quota(v2.roots()));
  v2.write("cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_FALSE(cpu_quota(v2.roots()));
  v2.write("cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(v2.roots()), 0.5);
  EXPECT_EQ(available_cores(v2.roots()), 1);
  v2.write("cgroup/a/b/cpu.max", "25000 100000\n");
  EXPECT_EQ(cpu_quota(v2.roots()), 0.25);

  const FakeMachine v1;
  v1.write("proc/self/cgroup", "3:cpuacct,cpu:/a\n2:cpuset:/b\n");
  for (const auto& [group, quota] :
       {std::pair("/", "-1"), std::pair("/a/", "300000"), std::pair("/b/", "1000")}) {
    v1.write(std::string("cgroup/cpu") + group + "cpu.cfs_quota_us", quota);
    v1.write(std::string("cgroup/cpu") + group + "cpu.cfs_period_us", "100000");
  }
  EXPECT_EQ(cpu_quota(v1.roots()), 3.0);
}

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

TEST(Machine, NodesHoldTheCoresThatThisProcessMayUse) {
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  int first = 0;
  while (!CPU_ISSET(static_cast<size_t>(first), &set)) ++first;
  const FakeMachine machine;
  EXPECT_EQ(memory_nodes(machine.roots()), NodeCpus{});
  machine.write("node/node0/cpulist", "\n");  // memory without cores
  machine.write("node/node1/cpulist", "0-1023\n");
  machine.write("node/node3/cpulist", std::to_string(first) + "," + std::to_string(first) + "-x\n");
  const NodeCpus nodes = memory_nodes(machine.roots());
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(static_cast<int>(nodes[0].size()), CPU_COUNT(&set));
  EXPECT_EQ(nodes[0][0], first);
  EXPECT_EQ(nodes[1], std::vector{first});
}

}  // namespace
}  // namespace quire
