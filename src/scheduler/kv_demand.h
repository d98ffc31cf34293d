// How many blocks a request can need: the arithmetic behind refusals at submit and behind admission.
#pragma once

#include <cstdint>

#include "request/sequence_group.h"
#include "scheduler/future_demand.h"
#include "scheduler/output_lengths.h"

namespace quire {

// The most blocks that a request can ever hold at once: its n sequences share the full blocks of the prompt
// and own the rest. The last token of each needs no slot. All at least 1; exact: a pool of so many blocks
// can finish it alone.
int64_t peak_blocks(int64_t num_prompt_tokens, int64_t max_tokens, int64_t n, int64_t block_size);

// Blocks that a group which holds none needs for the tokens that it has (the whole prompt, and what its
// unfinished sequences generated before a preemption), and one more for each sequence.
int64_t blocks_to_enter(const SequenceGroup& group, int64_t block_size);

// The same for a running group, less what it holds already.
int64_t blocks_to_catch_up(const SequenceGroup& group, int64_t block_size);

// What the group needs for the tokens that it has, and how much longer it is expected to grow.
GroupDemand expected_demand(const SequenceGroup& group, const OutputLengths& lengths, int64_t block_size);

}  // namespace quire
