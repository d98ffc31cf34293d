#include "base/machine.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace quire {
namespace {

// The number after `key` in a "key value" file such as /proc/meminfo or memory.stat.
std::optional<int64_t> read_keyed(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    int64_t value = 0;
    if (word == key && file >> value) return value;
  }
  return std::nullopt;
}

// The first number of a file; none when it is missing or says "max".
std::optional<int64_t> read_number(const char* path) {
  std::ifstream file(path);
  int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::optional<double> cpu_quota() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (v2 >> quota >> period && period > 0) return quota / period;
  const auto v1_quota = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto v1_period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1_quota && v1_period && *v1_quota > 0 && *v1_period > 0) {
    return static_cast<double>(*v1_quota) / static_cast<double>(*v1_period);
  }
  return std::nullopt;
}

std::optional<int64_t> cgroup_headroom(const char* limit_path, const char* usage_path,
                                       const char* stat_path, const char* cache_key) {
  const auto limit = read_number(limit_path);
  const auto usage = read_number(usage_path);
  if (!limit || !usage || *limit >= std::numeric_limits<int64_t>::max() / 2) return std::nullopt;
  return std::max<int64_t>(0, *limit - *usage + read_keyed(stat_path, cache_key).value_or(0));
}

}  // namespace

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const auto quota = cpu_quota()) cores = std::min(cores, static_cast<int>(std::ceil(*quota)));
  return std::max(1, cores);
}

int64_t available_memory_bytes() {
  const auto host_kib = read_keyed("/proc/meminfo", "MemAvailable:");
  int64_t available = host_kib ? *host_kib * 1024 : 0;
  const auto v2 = cgroup_headroom("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current",
                                  "/sys/fs/cgroup/memory.stat", "inactive_file");
  const auto v1 = cgroup_headroom("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                                  "/sys/fs/cgroup/memory/memory.usage_in_bytes",
                                  "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file");
  for (const auto& headroom : {v2, v1}) {
    if (headroom) available = available == 0 ? *headroom : std::min(available, *headroom);
  }
  return available;
}

int64_t peak_resident_bytes() { return read_keyed("/proc/self/status", "VmHWM:").value_or(0) * 1024; }

}  // namespace quire
