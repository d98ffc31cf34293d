#include "engine/engine_handle.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include "base/byte_size.h"
#include "base/log.h"
#include "base/machine.h"
#include "engine/memory_plan.h"
#include "runtime/local_executor.h"
#include "tokenizer/end_tokens.h"
#include "weights/gguf_config.h"

namespace quire {
namespace {

Expected<std::string> read_template_file(const std::string& path) {
  const int64_t most = TemplateLimits{}.max_source_bytes;
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(most) + 1, '\0');
  file.read(text.data(), std::ssize(text));
  if (file.bad() || !file.eof()) {
    const bool too_long = file.gcount() == std::ssize(text);
    return fail_param("chat_template", "the chat template '{}' {}; --chat-template names a file of Jinja",
                      path, too_long ? fmt::format("has more than {} bytes", most) : "cannot be read");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::unexpected<Error> bad_template(const std::string& path, const Error& error) {
  return fail_param("chat_template", "the chat template '{}': {}", path, error.message);
}

// The operator's own template must be right; without the model's, completions still work.
Expected<> open_template(const std::string& path, TokenizerSpec& spec, EngineHandle& handle) {
  if (!path.empty()) {
    auto text = read_template_file(path);
    if (!text) return std::unexpected(text.error());
    spec.chat_template = std::move(*text);
  }
  if (spec.chat_template.empty()) return {};
  auto parsed = ChatTemplate::parse(spec.chat_template);
  if (parsed) {
    handle.chat_template = std::make_unique<ChatTemplate>(std::move(*parsed));
  } else if (!path.empty()) {
    return bad_template(path, parsed.error());
  } else {
    LOG(warn, "the model's chat template cannot be used: {}", parsed.error().message);
  }
  return {};
}

Expected<> open_text(const GgufFile& file, EngineHandle& handle) {
  auto spec = read_tokenizer_spec(file);
  if (!spec) return std::unexpected(spec.error());
  handle.eos_token_ids = end_token_ids(*spec);
  if (auto opened = open_template(handle.config.chat_template, *spec, handle); !opened) return opened;
  auto tokenizer = Tokenizer::create(std::move(*spec));
  if (!tokenizer) return std::unexpected(tokenizer.error());
  handle.tokenizer = std::move(*tokenizer);
  return {};
}

void log_plan(const EnginePlan& plan) {
  const MemoryPlan& memory = plan.memory;
  LOG(info, "{}: {} layers, {} kernels, {} threads", plan.model.config.name, plan.model.config.num_layers,
      to_string(plan.kernels->isa), plan.config.threads);
  LOG(info, "memory: weights {}, KV cache {} in {} blocks of {} tokens{}, workspace {}",
      format_byte_size(memory.weight_bytes), format_byte_size(memory.kv_bytes()), memory.num_blocks,
      plan.config.block_size, memory.kv_limited_by_memory ? " (half of the free memory)" : "",
      format_byte_size(memory.workspace_bytes));
  if (memory.num_swap_slots > 0) {
    LOG(info, "swap space: {} in {}, taken as it is used", format_byte_size(memory.swap_bytes()),
        memory.swap_on_disk ? plan.config.swap_dir : "memory");
  }
  if (!plan.warning.empty()) LOG(warn, "{}", plan.warning);
}

PreemptionMode preemption_mode(const std::string& name) {
  if (name == "recompute") return PreemptionMode::kRecompute;
  return name == "swap" ? PreemptionMode::kSwap : PreemptionMode::kAuto;
}

}  // namespace

Expected<EngineHandle> open_engine(const EngineConfig& config, const Clock& clock, MetricsRegistry& metrics,
                                   PackProgress progress) {
  const int64_t start_ns = clock.now_ns();
  auto file = GgufFile::open(config.model);
  if (!file) return std::unexpected(file.error());
  const int64_t available_bytes = available_memory_bytes();
  auto plan = plan_engine(config, *file, available_bytes);
  if (!plan) return std::unexpected(plan.error());
  if (auto fits = check_memory(plan->memory, available_bytes); !fits) return std::unexpected(fits.error());
  log_plan(*plan);

  EngineHandle handle;
  handle.config = plan->config;
  handle.model = plan->model.config;
  if (auto opened = open_text(*file, handle); !opened) return std::unexpected(opened.error());
  handle.grammars = std::make_unique<GrammarCompiler>(*handle.tokenizer, handle.eos_token_ids,
                                                      GrammarCompilerOptions{}, metrics);
  auto runner = ModelRunner::create(*file, std::move(plan->model), *plan->kernels, plan->runner, progress);
  if (!runner) return std::unexpected(runner.error());
  const LLMEngineOptions options{.num_blocks = plan->memory.num_blocks,
                                 .block_size = handle.config.block_size,
                                 .max_model_len = handle.config.max_model_len,
                                 .max_num_seqs = handle.config.max_num_seqs,
                                 .max_num_batched_tokens = handle.config.max_num_batched_tokens,
                                 .max_queue = handle.config.max_queue,
                                 .by_priority = handle.config.scheduling_policy == "priority",
                                 .max_step_ns = static_cast<int64_t>(handle.config.max_step_ms * 1e6),
                                 .max_queue_ns = static_cast<int64_t>(handle.config.max_queue_ms * 1e6),
                                 .seed = handle.config.seed,
                                 .enable_prefix_caching = handle.config.enable_prefix_caching,
                                 .max_pinned_share = handle.config.max_pinned_share,
                                 .num_swap_slots = plan->memory.num_swap_slots,
                                 .preemption_mode = preemption_mode(handle.config.preemption_mode),
                                 .expected_output_tokens = handle.config.expected_output_tokens};
  handle.engine = std::make_unique<LLMEngine>(options, std::make_unique<LocalExecutor>(std::move(*runner)),
                                              clock, metrics);
  handle.engine->start();
  LOG(info, "ready after {:.2f} s", static_cast<double>(clock.now_ns() - start_ns) * 1e-9);
  return handle;
}

Expected<> check_chat_template(const std::string& path) {
  const auto text = read_template_file(path);
  if (!text) return std::unexpected(text.error());
  const auto parsed = ChatTemplate::parse(*text);
  return parsed ? Expected<>() : bad_template(path, parsed.error());
}

}  // namespace quire
