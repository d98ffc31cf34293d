// The real engine on a fake executor, driven from a seed: random sizes of pool, block, batch, budget and
// swap space, random clients. After every step the whole state of scheduler and block manager is checked;
// every request must end once, with the tokens that it gets when it runs alone in a large pool; who begins
// with a pinned prefix must find it; at the end all blocks and swap slots are free.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "scheduler/preemption_counts.h"

namespace quire {

struct SimulationReport {
  std::string setting;  // sizes, for a person
  int64_t num_steps = 0;
  int64_t num_ahead = 0;  // steps submitted before the one before them was collected
  int64_t num_requests = 0;
  int64_t num_refused = 0;
  int64_t num_preemptions = 0;
  PreemptionCounts preemptions;
  int64_t num_forks = 0;
  int64_t num_branches = 0;   // of beams
  int64_t num_copies = 0;     // of blocks, on write
  int64_t num_merges = 0;     // of blocks computed twice
  int64_t num_evictions = 0;  // of cached blocks
  int64_t num_found = 0;      // tokens of prompts that the prefix cache had
  int64_t num_pinned = 0;     // prefixes
  int64_t num_sure = 0;       // requests that had to find what was pinned
  int64_t num_aborted = 0;    // continuations, and so below
  int64_t num_failed = 0;     // with a step that was told to fail
  int64_t num_timed_out = 0;  // that waited too long
  int64_t num_stopped = 0;
  int64_t num_full_length = 0;
};

// The same seed does the same. The error says what broke, at which step, in which setting.
Expected<SimulationReport> simulate(uint64_t seed);

}  // namespace quire
