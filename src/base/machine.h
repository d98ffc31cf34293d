// What this process may really use: cgroup quotas and affinity masks, not the host's totals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quire {

// Where the kernel shows this machine; tests name folders of their own.
struct MachineRoots {
  std::string proc = "/proc";
  std::string cgroup = "/sys/fs/cgroup";
  std::string nodes = "/sys/devices/system/node";
};

// The functions below ask the process's own cgroup and all its parents, of v2 and of v1 (cgroups(7)), as
// each of them binds. A file that is missing, or that sets no limit, does not count.

// The least CPU quota, in cores; none if nothing sets one.
std::optional<double> cpu_quota(const MachineRoots& roots = {});

// Cores by affinity mask and CPU quota, at least 1.
int available_cores(const MachineRoots& roots = {});

// CPU ids by memory node: those that this process may run on, nodes without any left out. Empty if the
// kernel shows no nodes.
using NodeCpus = std::vector<std::vector<int>>;
NodeCpus memory_nodes(const MachineRoots& roots = {});

// Memory that could be taken now without pushing a cgroup over its limit or the host into swap: the least
// of MemAvailable and each group's limit - usage + reclaimable page cache, at least 1. 0 if nothing can be
// read.
int64_t available_memory_bytes(const MachineRoots& roots = {});

// Peak resident set of this process (VmHWM), 0 if unknown.
int64_t peak_resident_bytes();

}  // namespace quire
