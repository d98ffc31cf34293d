// What this process may really use: cgroup quotas and affinity masks, not the host's totals.
#pragma once

#include <cstdint>

namespace quire {

// Cores by affinity mask and cgroup CPU quota (v2 and v1), at least 1.
int available_cores();

// Memory that could be taken now without pushing the container over its limit or the host into swap: the
// smaller of MemAvailable and (cgroup limit - usage + reclaimable page cache), for v2 and v1. 0 if nothing
// can be read.
int64_t available_memory_bytes();

// Peak resident set of this process (VmHWM), 0 if unknown.
int64_t peak_resident_bytes();

}  // namespace quire
