#include "cli/flag_groups.h"

#include <algorithm>
#include <array>

namespace quire {
namespace {

constexpr std::string_view kOptions = "Options";  // CLI11's own heading

struct FlagGroup {
  std::string_view heading;
  std::array<std::string_view, 16> fields;
};

constexpr std::array<FlagGroup, 8> kGroups{{
    {kOptions, {}},
    {"Model",
     {"served_model_name", "max_model_len", "activations", "seed", "threads", "chat_template",
      "tool_call_parser", "reasoning_parser", "pooling"}},
    {"Memory",
     {"kv_cache_memory_bytes", "kv_cache_dtype", "block_size", "enable_prefix_caching", "prefix_file",
      "max_pinned_share", "swap_space", "swap_dir", "preemption_mode"}},
    {"Batching",
     {"max_num_seqs", "max_num_batched_tokens", "max_step_ms", "scheduling_policy", "max_queue",
      "max_queue_ms", "expected_output_tokens"}},
    {"HTTP",
     {"host", "port", "http_threads", "max_connections", "max_body_bytes", "max_header_bytes",
      "header_timeout", "body_timeout", "idle_timeout", "write_timeout", "stream_keep_alive",
      "shutdown_timeout", "ignore_unknown_fields", "response_store"}},
    {"Security",
     {"api_key", "api_key_file", "ssl_certfile", "ssl_keyfile", "ssl_keyfile_password", "allowed_hosts",
      "allowed_origins"}},
    {kObservability,
     {"log_requests", "log_prompts", "max_engine_viewers", "otlp_endpoint", "otlp_service_name"}},
    {"Sampling", {}},
}};

}  // namespace

std::string_view flag_group(std::string_view field_name) {
  for (const FlagGroup& group : kGroups) {
    if (std::ranges::find(group.fields, field_name) != group.fields.end()) return group.heading;
  }
  return kOptions;
}

std::span<const std::string_view> flag_group_order() {
  static constexpr auto kOrder = [] {
    std::array<std::string_view, kGroups.size()> order;
    std::ranges::transform(kGroups, order.begin(), &FlagGroup::heading);
    return order;
  }();
  return kOrder;
}

}  // namespace quire
