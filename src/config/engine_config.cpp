#include "config/engine_config.h"

#include <array>
#include <type_traits>

namespace quire {
namespace {

using C = EngineConfig;

const std::array<Field<C>, 20> kFields{{
    {"max_model_len", &C::max_model_len, "longest prompt plus output; 0: what the model was trained for", 0,
     kInt32Max, false, FieldUnit::kTokens},
    {"max_num_seqs", &C::max_num_seqs, "most sequences that run at once", 1, 16384},
    {"max_num_batched_tokens", &C::max_num_batched_tokens, "most tokens computed in one step", 1, 1 << 20,
     false, FieldUnit::kTokens},
    {"block_size", &C::block_size, "tokens in a KV block: 8, 16, 32, 64 or 128", 8, 128, false,
     FieldUnit::kTokens},
    {"enable_prefix_caching", &C::enable_prefix_caching,
     "requests that begin alike share the KV blocks of what they have in common, also with those that have "
     "ended"},
    {"max_pinned_share", &C::max_pinned_share,
     "share of the KV blocks that pinned prefixes (/v1/prefixes) may hold at most", 0, 0.5},
    {"kv_cache_dtype", &C::kv_cache_dtype, "how keys and values are stored; auto is fp16", 0, 0, false,
     FieldUnit::kNone, "auto|fp32|fp16|bf16|int8"},
    {"kv_cache_memory_bytes", &C::kv_cache_memory_bytes,
     "memory for KV blocks; without it, what max-num-seqs sequences of max-model-len tokens need, at most "
     "half of the free memory",
     1, 0x1.0p62, false, FieldUnit::kBytes, "", "kv_cache_memory"},
    {"swap_space", &C::swap_space,
     "most room for the KV blocks of preempted requests; in memory, at most half of what the rest leaves "
     "free",
     0, 0x1.0p20, false, FieldUnit::kGibibytes},
    {"swap_dir", &C::swap_dir, "folder for a file that is the swap space; without it, memory is"},
    {"preemption_mode", &C::preemption_mode,
     "what becomes of a preempted request's KV blocks: computed again, swapped, or whichever is cheaper", 0,
     0, false, FieldUnit::kNone, "recompute|swap|auto"},
    {"expected_output_tokens", &C::expected_output_tokens,
     "how long outputs are taken to be until some have ended; 0 admits whoever fits at the moment", 0,
     kInt32Max, false, FieldUnit::kTokens},
    {"threads", &C::threads, "threads that compute; 0: all cores this process may use", 0, 1024},
    {"max_queue", &C::max_queue, "requests that may wait; one more is answered with 429", 1, 1 << 20},
    {"max_queue_ms", &C::max_queue_ms,
     "how long a request may wait to run before it is answered with 503; 0: no bound", 0, 1e12, false,
     FieldUnit::kMilliseconds},
    {"scheduling_policy", &C::scheduling_policy,
     "who runs first: requests in order of arrival, or those of the lowest priority number", 0, 0, false,
     FieldUnit::kNone, "fcfs|priority"},
    {"max_step_ms", &C::max_step_ms,
     "what a step should take while answers are under way: prompts are cut so that nobody waits longer "
     "for a next token; 0: off",
     0, 1e9, false, FieldUnit::kMilliseconds},
    {"activations", &C::activations, "precision of activations in products with quantized weights", 0, 0,
     false, FieldUnit::kNone, "int8|fp32"},
    {"chat_template", &C::chat_template,
     "file with a chat template (Jinja) to be used instead of the model's own"},
    {"seed", &C::seed, "seed for requests that bring none"},
}};

}  // namespace

std::span<const Field<EngineConfig>> engine_fields() { return kFields; }

Expected<> validate(const EngineConfig& config) {
  for (const auto& field : kFields) {
    Expected<> checked = std::visit(
        [&](auto member) -> Expected<> {
          using Value = std::remove_cvref_t<decltype(config.*member)>;
          if constexpr (std::is_same_v<Value, std::string>) {
            return field.check_choice(config.*member);
          } else if constexpr (std::is_arithmetic_v<Value>) {
            return field.check(static_cast<double>(config.*member));
          } else {
            if (!(config.*member)) return {};
            return field.check(static_cast<double>(*(config.*member)));
          }
        },
        field.member);
    if (!checked) return checked;
  }
  if ((config.block_size & (config.block_size - 1)) != 0) {
    return fail_param("block_size", "block_size must be 8, 16, 32, 64 or 128, but is {}",
                      config.block_size);
  }
  return {};
}

}  // namespace quire
