// Attention to time, in the shapes of one model: sequences of equal length, and enough layers of keys and
// values that those of the next one are cold, as they are in a model.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "config/model_config.h"
#include "kernels/attention_plan.h"
#include "kernels/kernel_args.h"
#include "runtime/cache_engine.h"
#include "tensor/arena.h"

namespace quire {

struct AttentionLoad {
  KvDType dtype = KvDType::kF16;
  int32_t block_size = 16;
  int32_t num_sequences = 1;
  int32_t num_rows = 1;     // of each sequence: 1 is a decode
  int32_t context_len = 0;  // of each, these rows included
  bool scattered = false;   // blocks anywhere, as after hours of serving, rather than in order
};

struct AttentionCase {
  CacheEngine cache;
  Arena partials;
  std::vector<int32_t> blocks;  // of all sequences
  std::vector<AttentionSequence> sequences;
  AttentionPlan plan;
  AttentionArgs args;
  double layer_bytes;  // keys and values of all blocks in one layer
  size_t layer = 0;

  // The next layer's keys and values.
  void advance();
};

// `q` and `out` have a row for each row of each sequence. kResourceExhausted if there is no memory.
Expected<AttentionCase> make_attention_case(const ModelConfig& config, const AttentionLoad& load,
                                            int num_threads, const float* q, float* out);

// As make_attention_case lays a cache out, for `num_blocks` blocks: its layers are enough that a round of
// them leaves no cache warm.
CacheShape cold_cache_shape(const ModelConfig& config, KvDType dtype, int32_t block_size,
                            int64_t num_blocks);

}  // namespace quire
