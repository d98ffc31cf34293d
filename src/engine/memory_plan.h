// What a model and its flags will take in memory, exactly, before anything is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "config/engine_config.h"
#include "kernels/kernel_table.h"
#include "runtime/compiled_model.h"
#include "runtime/model_runner.h"
#include "weights/gguf_file.h"

namespace quire {

struct MemoryPlan {
  int64_t weight_bytes = 0;     // packed
  int64_t bytes_per_block = 0;  // keys and values of block_size tokens in all layers
  int32_t num_blocks = 0;
  int64_t workspace_bytes = 0;        // activations, logits, scratch of kernels and sampler
  bool kv_limited_by_memory = false;  // fewer blocks than max_num_seqs sequences of max_model_len could use

  int32_t num_swap_slots = 0;  // blocks that the swap space holds
  bool swap_on_disk = false;
  bool swap_limited_by_memory = false;  // fewer than swap_space names

  int64_t swap_bytes() const { return bytes_per_block * num_swap_slots; }
  int64_t kv_bytes() const { return bytes_per_block * num_blocks; }
  // The swap space is not among it: it gets by with what this leaves.
  int64_t total_bytes() const { return weight_bytes + kv_bytes() + workspace_bytes; }
};

// A model with every choice made: what loading would do.
struct EnginePlan {
  EngineConfig config;  // no zero that means "default" is left
  const KernelTable* kernels = nullptr;
  CompiledModel model;
  ModelRunnerOptions runner;
  MemoryPlan memory;
  std::string warning;  // for the operator; empty if all is as asked
};

// `available_bytes` is what the container has free, 0 if unknown (base/machine.h). Without
// kv_cache_memory_bytes the pool is what max_num_seqs sequences of max_model_len tokens can use, at most
// half of what is free; it is taken as it is used. A pool smaller than the context is legal: the context is
// then what the pool holds, and the warning says so. A named pool is planned as it is: check_memory() says
// whether there is room for it. A swap space in memory has at most half of what all of this leaves, and its
// pages too are taken as they are used; on disk it is as large as named, beside a few staging buffers.
Expected<EnginePlan> plan_engine(const EngineConfig& config, const GgufFile& file, int64_t available_bytes);

// Error (kResourceExhausted, param kv_cache_memory_bytes): the plan takes more than `available_bytes`, with
// both numbers and what to do. 0 is unknown, and enough.
Expected<> check_memory(const MemoryPlan& memory, int64_t available_bytes);

}  // namespace quire
