// Conversations made of single requests: what a chat service is asked, where every prompt repeats what was
// said before.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench/trace.h"
#include "bench/workload.h"

namespace quire {

// Joins requests to conversations with a geometric number of rounds, trace.mean_rounds on average: as many
// as there are, in order of arrival. The first comes when the first of its requests did; each other one
// kRoundSeconds after the one before, on average, at random. What would come after `seconds` comes that much
// earlier instead: the rate is the same from the beginning to the end. Answers are what a simulated machine
// gives, CostModelExecutor::kToken.
std::vector<WorkItem> make_conversations(std::span<const WorkItem> requests, const TraceSpec& trace,
                                         double seconds, int64_t seed);

}  // namespace quire
