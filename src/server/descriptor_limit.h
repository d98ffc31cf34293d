// How many files a process may have open: every connection is one (setrlimit(2), RLIMIT_NOFILE).
#pragma once

#include <cstdint>

namespace quire {

// How many of `wanted` connections this process may have open beside its own files. Raises the soft limit as
// far as that takes and the hard one allows; at least 1.
int32_t allow_connections(int32_t wanted);

}  // namespace quire
