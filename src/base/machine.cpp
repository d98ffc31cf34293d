#include "base/machine.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

namespace quire {
namespace {

constexpr std::string_view kUnified = "";  // v2 names no controller in /proc/self/cgroup

// The number after `key` in a "key value" file such as /proc/meminfo or memory.stat.
std::optional<int64_t> read_keyed(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    int64_t value = 0;
    if (word == key && file >> value) return value;
  }
  return std::nullopt;
}

// The first number of a file; none when it is missing or says "max".
std::optional<int64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

// This process's path in a controller's hierarchy, from lines of "id:controller,controller:path".
std::string own_group(const MachineRoots& roots, std::string_view controller) {
  const std::string wanted = "," + std::string(controller) + ",";
  std::ifstream file(roots.proc + "/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    if (first == std::string::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string listed = "," + line.substr(first + 1, second - first - 1) + ",";
    if (listed.find(wanted) != std::string::npos) return line.substr(second + 1);
  }
  return "/";
}

// The folders under `mount` of that group and its parents, `mount` first. In a container the path may be
// the host's, which does not exist here: its limits are then those at `mount`.
std::vector<std::string> group_folders(const MachineRoots& roots, const std::string& mount,
                                       std::string_view controller) {
  const std::string path = own_group(roots, controller);
  std::vector<std::string> folders{mount};
  for (size_t begin = 1; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") break;  // above this process's namespace
    folders.push_back(mount + path.substr(0, end));
    begin = end + 1;
  }
  return folders;
}

template <class Value>
void take_least(std::optional<Value>& least, std::optional<Value> value) {
  if (value && (!least || *value < *least)) least = value;
}

std::optional<double> quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

std::optional<double> quota_v1(const std::string& folder) {
  const auto quota = read_number(folder + "/cpu.cfs_quota_us");
  const auto period = read_number(folder + "/cpu.cfs_period_us");
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// What a version of cgroup calls a group's memory files.
struct MemoryFiles {
  const char *limit, *usage;
  const char* reclaimable;  // the key in memory.stat
};

constexpr MemoryFiles kMemoryV2{"/memory.max", "/memory.current", "inactive_file"};
constexpr MemoryFiles kMemoryV1{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};

std::optional<int64_t> headroom(const std::string& folder, const MemoryFiles& files) {
  const auto limit = read_number(folder + files.limit);
  const auto usage = read_number(folder + files.usage);
  if (!limit || !usage || *limit >= std::numeric_limits<int64_t>::max() / 2) return std::nullopt;
  return *limit - *usage + read_keyed(folder + "/memory.stat", files.reclaimable).value_or(0);
}

constexpr int kMaxNodes = 128;  // ids may have gaps

// "0-3,8,10-11"; stops at what is no list.
std::vector<int> read_cpu_list(std::istream& in) {
  std::vector<int> cpus;
  for (int first = 0; in >> first;) {
    int last = first;
    if (in.peek() == '-' && !(in.ignore() >> last)) break;
    for (int cpu = std::max(0, first); cpu <= last && cpu < CPU_SETSIZE; ++cpu) cpus.push_back(cpu);
    if (in.peek() == ',') in.ignore();
  }
  return cpus;
}

}  // namespace

std::optional<double> cpu_quota(const MachineRoots& roots) {
  std::optional<double> least;
  for (const auto& folder : group_folders(roots, roots.cgroup, kUnified))
    take_least(least, quota_v2(folder));
  for (const auto& folder : group_folders(roots, roots.cgroup + "/cpu", "cpu"))
    take_least(least, quota_v1(folder));
  return least;
}

int available_cores(const MachineRoots& roots) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const auto quota = cpu_quota(roots); quota && *quota < cores) {
    cores = static_cast<int>(std::ceil(*quota));
  }
  return std::max(1, cores);
}

NodeCpus memory_nodes(const MachineRoots& roots) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return {};
  NodeCpus nodes;
  for (int node = 0; node < kMaxNodes; ++node) {
    std::ifstream file(roots.nodes + "/node" + std::to_string(node) + "/cpulist");
    std::vector<int> cpus;
    for (const int cpu : read_cpu_list(file)) {
      if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
    }
    if (!cpus.empty()) nodes.push_back(std::move(cpus));
  }
  return nodes;
}

int64_t available_memory_bytes(const MachineRoots& roots) {
  std::optional<int64_t> least;
  if (const auto host_kib = read_keyed(roots.proc + "/meminfo", "MemAvailable:")) least = *host_kib * 1024;
  for (const auto& folder : group_folders(roots, roots.cgroup, kUnified))
    take_least(least, headroom(folder, kMemoryV2));
  for (const auto& folder : group_folders(roots, roots.cgroup + "/memory", "memory"))
    take_least(least, headroom(folder, kMemoryV1));
  return least ? std::max<int64_t>(1, *least) : 0;
}

int64_t peak_resident_bytes() { return read_keyed("/proc/self/status", "VmHWM:").value_or(0) * 1024; }

}  // namespace quire
