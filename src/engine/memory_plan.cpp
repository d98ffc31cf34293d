#include "engine/memory_plan.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/byte_size.h"
#include "base/machine.h"

namespace quire {
namespace {

// More slots would overflow what attention and the block table count in 32 bits.
constexpr int64_t kMaxBlocks = 1 << 24;

KvDType kv_dtype(const std::string& name) {
  if (name == "fp32") return KvDType::kF32;
  if (name == "int8") return KvDType::kInt8;
  return name == "bf16" ? KvDType::kBF16 : KvDType::kF16;  // auto: fp16
}

Expected<> resolve_context(EngineConfig& config, const ModelConfig& model) {
  if (config.max_model_len == 0) config.max_model_len = model.context_length;
  if (config.max_model_len > model.context_length) {
    return fail_param("max_model_len",
                      "max_model_len is {}, but the model was made for {} tokens: lower --max-model-len",
                      config.max_model_len, model.context_length);
  }
  return {};
}

Expected<int64_t> count_blocks(EnginePlan& plan, int64_t available_bytes) {
  const EngineConfig& config = plan.config;
  MemoryPlan& memory = plan.memory;
  const int64_t per_sequence = (int64_t{config.max_model_len} + config.block_size - 1) / config.block_size;
  const int64_t useful = std::min(per_sequence * config.max_num_seqs, kMaxBlocks);
  if (config.kv_cache_memory_bytes) {
    const int64_t blocks = *config.kv_cache_memory_bytes / memory.bytes_per_block;
    if (blocks >= 1) return std::min(blocks, kMaxBlocks);
    return fail_param("kv_cache_memory_bytes",
                      "{} of KV cache hold no block: one of {} tokens takes {}; give more",
                      format_byte_size(*config.kv_cache_memory_bytes), config.block_size,
                      format_byte_size(memory.bytes_per_block));
  }
  if (available_bytes == 0) {
    return fail(ErrorCode::kResourceExhausted,
                "how much memory is free cannot be read: name the pool's size with --kv-cache-memory");
  }
  const int64_t spare = (available_bytes - memory.weight_bytes - memory.workspace_bytes) / 2;
  const int64_t affordable = spare / memory.bytes_per_block;
  memory.kv_limited_by_memory = affordable < useful;
  if (affordable >= 1) return std::min(useful, affordable);
  return fail(ErrorCode::kResourceExhausted,
              "{} of memory are free, but the model takes {} before any KV cache: free some, or take a "
              "smaller model",
              format_byte_size(available_bytes),
              format_byte_size(memory.weight_bytes + memory.workspace_bytes));
}

void plan_swap(EnginePlan& plan, int64_t available_bytes) {
  MemoryPlan& memory = plan.memory;
  if (plan.config.preemption_mode == "recompute") return;
  auto bytes = static_cast<int64_t>(plan.config.swap_space * 0x1.0p30);
  memory.swap_on_disk = !plan.config.swap_dir.empty();
  if (!memory.swap_on_disk && available_bytes > 0) {
    const int64_t spare = std::max<int64_t>(0, (available_bytes - memory.total_bytes()) / 2);
    memory.swap_limited_by_memory = spare < bytes;
    bytes = std::min(bytes, spare);
  }
  memory.num_swap_slots = static_cast<int32_t>(std::min(bytes / memory.bytes_per_block, kMaxBlocks));
  plan.runner.swap = {.num_slots = memory.num_swap_slots, .dir = plan.config.swap_dir};
  if (memory.swap_on_disk && memory.num_swap_slots > 0) {
    memory.workspace_bytes += swap_staging_bytes(memory.bytes_per_block);
  }
}

}  // namespace

Expected<EnginePlan> plan_engine(const EngineConfig& config, const GgufFile& file,
                                 int64_t available_bytes) {
  if (auto valid = validate(config); !valid) return std::unexpected(valid.error());
  const char* isa = std::getenv("QUIRE_ISA");
  auto kernels = select_kernels(isa == nullptr ? "" : isa);
  if (!kernels) return std::unexpected(kernels.error());
  EnginePlan plan{
      .config = config, .kernels = *kernels, .model = {}, .runner = {}, .memory = {}, .warning = {}};
  if (plan.config.threads == 0) plan.config.threads = available_cores();

  const PlanLimits limits{.max_tokens = config.max_num_batched_tokens,
                          .max_selected = std::min<int64_t>(config.max_num_seqs, kMaxLogitRows)};
  auto model =
      compile_model(file, **kernels, {.limits = limits, .int8_activations = config.activations == "int8"});
  if (!model) return std::unexpected(model.error());
  plan.model = std::move(*model);
  if (auto context = resolve_context(plan.config, plan.model.config); !context) {
    return std::unexpected(context.error());
  }

  plan.runner = {.num_blocks = 0,
                 .block_size = config.block_size,
                 .kv_dtype = kv_dtype(config.kv_cache_dtype),
                 .max_num_seqs = config.max_num_seqs,
                 .num_threads = plan.config.threads};
  plan.memory.weight_bytes = packed_weight_bytes(plan.model.weights, **kernels);
  plan.memory.bytes_per_block = cache_shape(plan.model.config, plan.runner).bytes_per_block();
  plan.memory.workspace_bytes = runner_workspace_bytes(plan.model, **kernels, plan.runner);
  const auto blocks = count_blocks(plan, available_bytes);
  if (!blocks) return std::unexpected(blocks.error());
  plan.memory.num_blocks = plan.runner.num_blocks = static_cast<int32_t>(*blocks);
  plan.config.kv_cache_memory_bytes = plan.memory.kv_bytes();
  plan_swap(plan, available_bytes);

  const int64_t pool_tokens = *blocks * config.block_size;
  if (pool_tokens < plan.config.max_model_len) {
    plan.warning = fmt::format(
        "the KV cache of {} holds {} tokens, less than the context of {}: requests may be that long at "
        "most",
        format_byte_size(plan.memory.kv_bytes()), pool_tokens, plan.config.max_model_len);
    plan.config.max_model_len = static_cast<int32_t>(pool_tokens);
  }
  return plan;
}

Expected<> check_memory(const MemoryPlan& memory, int64_t available_bytes) {
  if (available_bytes == 0 || memory.total_bytes() <= available_bytes) return {};
  return std::unexpected(Error{
      ErrorCode::kResourceExhausted,
      fmt::format("{} of memory are free, but weights ({}), workspace ({}) and KV cache ({}) take {}: "
                  "lower --kv-cache-memory, or free some",
                  format_byte_size(available_bytes), format_byte_size(memory.weight_bytes),
                  format_byte_size(memory.workspace_bytes), format_byte_size(memory.kv_bytes()),
                  format_byte_size(memory.total_bytes())),
      "kv_cache_memory_bytes"});
}

}  // namespace quire
