// What paging costs the kernel: attention over blocks that lie anywhere beside the same over one range for
// each sequence (Kwon et al. 2023, figure 18a).
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "bench/paper_results.h"
#include "config/model_config.h"
#include "kernels/kernel_table.h"

namespace quire {

struct AttentionSizes {
  int32_t num_sequences = 0;  // that decode
  int32_t context_len = 0;    // of each: a power of two, so that it can be one block
};

// Both layouts in turns, several times; the medians. kResourceExhausted if there is no memory.
Expected<AttentionRow> time_attention_layouts(const ModelConfig& config, const KernelTable& table,
                                              const AttentionSizes& sizes, int32_t block_size,
                                              ThreadPool& pool, const Clock& clock);

}  // namespace quire
