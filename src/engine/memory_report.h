// A memory plan as people read it: what `quire inspect` and `quire serve --dry-run` print.
#pragma once

#include <cstdint>
#include <string>

#include "engine/memory_plan.h"

namespace quire {

// A line for each part, with its size rounded and in bytes, their sum against `available_bytes` (as for
// plan_engine; 0: unknown), how long and how many requests may be, and the plan's warning.
std::string memory_report(const EnginePlan& plan, int64_t available_bytes);

}  // namespace quire
