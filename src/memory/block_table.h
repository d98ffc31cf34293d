// Where one sequence's keys and values lie, in one KV group: logical block i holds the tokens
// [i * block_size, (i + 1) * block_size) in the physical block blocks[i] (Kwon et al. 2023, section 4.2).
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"

namespace quire {

struct BlockTable {
  std::vector<BlockId> blocks;
  int32_t num_tokens = 0;  // that have a slot; blocks.size() == blocks_for(num_tokens, block_size)
  // Slots from num_tokens up to here are in a block that nobody else holds; 0 where that is not known.
  int32_t num_writable = 0;
};

// Blocks that `num_tokens` tokens of one sequence occupy.
constexpr int64_t blocks_for(int64_t num_tokens, int64_t block_size) {
  return (num_tokens + block_size - 1) / block_size;
}

}  // namespace quire
