#include "scheduler/kv_demand.h"

#include <algorithm>

#include "memory/block_table.h"

namespace quire {

int64_t peak_blocks(int64_t num_prompt_tokens, int64_t max_tokens, int64_t n, int64_t block_size) {
  if (max_tokens == 1) return blocks_for(num_prompt_tokens, block_size);  // nobody writes after the fork
  const int64_t shared = num_prompt_tokens / block_size;
  return shared + n * (blocks_for(num_prompt_tokens + max_tokens - 1, block_size) - shared);
}

int64_t blocks_to_enter(const SequenceGroup& group, int64_t block_size) {
  const int64_t shared = group.num_prompt_tokens() / block_size;
  int64_t blocks = shared;
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    blocks += blocks_for(group.num_tokens(sequence), block_size) - shared + 1;
  }
  return blocks;
}

int64_t blocks_to_catch_up(const SequenceGroup& group, int64_t block_size) {
  if (!group.forked) {
    return blocks_to_enter(group, block_size) - blocks_for(group.leader().num_computed, block_size);
  }
  int64_t blocks = 0;
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished() || (group.num_beams > 0 && sequence.num_computed == 0)) continue;
    blocks += blocks_for(group.num_tokens(sequence), block_size) -
              blocks_for(sequence.num_computed, block_size) + 1;
  }
  return blocks;
}

GroupDemand expected_demand(const SequenceGroup& group, const OutputLengths& lengths, int64_t block_size) {
  GroupDemand demand{.num_blocks = blocks_to_enter(group, block_size),
                     .num_sequences = group.num_unfinished()};
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished()) continue;
    const auto num_outputs = static_cast<int32_t>(sequence.output.size());
    const int32_t to_come = lengths.expect(num_outputs, group.params()->max_tokens) - num_outputs;
    demand.num_to_come = std::max(demand.num_to_come, to_come);
  }
  return demand;
}

}  // namespace quire
