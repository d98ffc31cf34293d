#include "server/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace quire {
namespace {

// Of the process itself: the model, libraries that are opened late, logs, the swap file, the event loop.
constexpr rlim_t kOwnFiles = 64;

}  // namespace

int32_t allow_connections(int32_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = static_cast<rlim_t>(wanted) + kOwnFiles;
  if (limit.rlim_cur < needed) {
    rlimit raised = limit;
    raised.rlim_cur = std::min(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur >= needed) return wanted;
  return static_cast<int32_t>(std::max<rlim_t>(limit.rlim_cur, kOwnFiles + 1) - kOwnFiles);
}

}  // namespace quire
