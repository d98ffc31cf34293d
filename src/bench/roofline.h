// What the machine itself can do: the bound that decoding runs against.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/thread_pool.h"

namespace quire {

// Bytes a second that the pool's threads read together from a buffer far larger than the caches: the median
// of `passes` passes over it.
double read_bandwidth(ThreadPool& pool, int64_t buffer_bytes, int passes, const Clock& clock);

}  // namespace quire
