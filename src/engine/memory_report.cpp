#include "engine/memory_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/byte_size.h"

namespace quire {
namespace {

class MemoryTable {
 public:
  void part(std::string_view label, int64_t bytes, std::string_view what) {
    fmt::format_to(std::back_inserter(text_), "  {:<16}{:>10}{:>15} bytes  {}\n", label,
                   format_byte_size(bytes), bytes, what);
  }
  void line(std::string_view label, std::string_view what) {
    fmt::format_to(std::back_inserter(text_), "  {:<18}{}\n", label, what);
  }
  std::string finish() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string describe_pool(const EnginePlan& plan) {
  const MemoryPlan& memory = plan.memory;
  return fmt::format("{} blocks of {} ({}, {} tokens): {} tokens{}", memory.num_blocks,
                     format_byte_size(memory.bytes_per_block), to_string(plan.runner.kv_dtype),
                     plan.config.block_size, int64_t{memory.num_blocks} * plan.config.block_size,
                     memory.kv_limited_by_memory ? "; half of the free memory" : "");
}

std::string describe_swap(const EnginePlan& plan) {
  const MemoryPlan& memory = plan.memory;
  return fmt::format("{} blocks {}", memory.num_swap_slots,
                     memory.swap_on_disk             ? "in " + plan.config.swap_dir
                     : memory.swap_limited_by_memory ? "in memory; half of what the rest leaves"
                                                     : "in memory");
}

std::string describe_total(const MemoryPlan& memory, int64_t available_bytes) {
  if (available_bytes == 0) return "how much is free cannot be read";
  return fmt::format(
      "{:.1f}% of the {} that are free",
      100.0 * static_cast<double>(memory.total_bytes()) / static_cast<double>(available_bytes),
      format_byte_size(available_bytes));
}

// Sequences of `tokens` tokens that fit the pool at once, whatever max_num_seqs says.
int64_t sequences_of(const EnginePlan& plan, int64_t tokens) {
  return plan.memory.num_blocks /
         std::max<int64_t>(1, (tokens + plan.config.block_size - 1) / plan.config.block_size);
}

}  // namespace

std::string memory_report(const EnginePlan& plan, int64_t available_bytes) {
  const MemoryPlan& memory = plan.memory;
  const EngineConfig& config = plan.config;
  MemoryTable table;
  table.part("weights", memory.weight_bytes, fmt::format("packed for {}", to_string(plan.kernels->isa)));
  table.part("KV pool", memory.kv_bytes(), describe_pool(plan));
  table.part("activations", memory.workspace_bytes,
             fmt::format("{} tokens a step, {} rows of logits, {} threads", config.max_num_batched_tokens,
                         plan.model.plan.limits.max_selected, config.threads));
  table.part("total", memory.total_bytes(), describe_total(memory, available_bytes));
  if (memory.num_swap_slots == 0) {
    table.line("swap space", "none");
  } else {
    table.part("swap space", memory.swap_bytes(), "beside the total: " + describe_swap(plan));
  }
  table.line("longest request", fmt::format("{} tokens", config.max_model_len));
  table.line("at once",
             fmt::format("{} sequences at most; the pool holds {} of the longest, {} of {} tokens",
                         config.max_num_seqs, sequences_of(plan, config.max_model_len),
                         sequences_of(plan, std::min(512, config.max_model_len)),
                         std::min(512, config.max_model_len)));
  if (!plan.warning.empty()) table.line("warning", plan.warning);
  return std::move(table).finish();
}

}  // namespace quire
