// What an operator sets for one engine. The names are those of vLLM's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "config/field_table.h"

namespace quire {

struct EngineConfig {
  std::string model = {};  // path of a GGUF file

  int32_t max_model_len = 0;  // 0: the model's context
  int32_t max_num_seqs = 128;
  int32_t max_num_batched_tokens = 512;
  int32_t block_size = 16;
  bool enable_prefix_caching = true;
  double max_pinned_share = 0.5;                      // of the KV blocks
  std::string kv_cache_dtype = "auto";                // auto: fp16
  std::optional<int64_t> kv_cache_memory_bytes = {};  // none: see memory_plan.h of the engine room
  // Both of the swap space: see memory_plan.h for what becomes of its size.
  double swap_space = 4;
  std::string swap_dir = {};  // empty: in memory
  std::string preemption_mode = "auto";
  int32_t expected_output_tokens = 256;
  int32_t threads = 0;  // 0: all cores this process may use
  int32_t max_queue = 1024;
  double max_queue_ms = 600'000;  // 0: no bound
  std::string scheduling_policy = "fcfs";
  double max_step_ms = 0;  // 0: off
  std::string activations = "int8";
  std::string chat_template = {};  // path of a Jinja file; empty: the model's own
  int64_t seed = 0;                // of requests that bring none
};

// Every flag of EngineConfig but `model`.
std::span<const Field<EngineConfig>> engine_fields();

// Ranges, choices and combinations that can be judged without the model.
Expected<> validate(const EngineConfig& config);

}  // namespace quire
