#include "bench/model_roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int kIterations = 3;

// "blk.7.ffn_gate.weight" -> "ffn_gate".
std::string short_name(const Weight& weight) {
  std::string out;
  for (std::string part : weight.parts) {
    if (part.starts_with("blk.")) part.erase(0, part.find('.', 4) + 1);
    if (part.ends_with(".weight")) part.erase(part.size() - 7);
    out += (out.empty() ? "" : "+") + part;
  }
  return out;
}

template <class Visit>
void for_each_linear(const Graph& graph, Visit visit) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (op.kind == OpKind::kLinear) visit(op, graph.weights[static_cast<size_t>(op.weight)], i);
  }
}

}  // namespace

KernelShapes kernel_shapes(const EnginePlan& plan) {
  KernelShapes shapes{.config = plan.model.config,
                      .linears = {},
                      .kv_dtype = plan.runner.kv_dtype,
                      .block_size = plan.runner.block_size};
  for_each_linear(plan.model.plan.graph, [&](const Op& op, const Weight& weight, size_t) {
    const auto same = [&](const LinearShape& shape) {
      return shape.dtype == weight.dtype && shape.rows == weight.rows && shape.cols == weight.cols &&
             shape.epilogue == op.epilogue;
    };
    if (std::ranges::any_of(shapes.linears, same)) return;
    shapes.linears.push_back({short_name(weight), weight.dtype, weight.rows, weight.cols, op.epilogue});
  });
  return shapes;
}

Work step_work(const EnginePlan& plan, int64_t num_sequences, int64_t num_tokens, int64_t context) {
  const ModelConfig& config = plan.model.config;
  Work work;
  for_each_linear(plan.model.plan.graph, [&](const Op& op, const Weight& weight, size_t index) {
    const bool head = index >= static_cast<size_t>(plan.model.plan.head_begin);
    const int64_t tokens = head ? num_sequences : num_sequences * num_tokens;
    const double ops = 2.0 * static_cast<double>(tokens) * static_cast<double>(weight.rows * weight.cols);
    const auto format = plan.model.plan.graph.values[static_cast<size_t>(op.inputs[0])].format;
    linear_ops(work, plan.kernels->isa, weight.dtype, format) += ops;
    work.memory_bytes += static_cast<double>(weight.rows * row_bytes(weight.dtype, weight.cols));
  });
  const int64_t token_bytes = plan.memory.bytes_per_block / plan.runner.block_size;
  work.memory_bytes += static_cast<double>(num_sequences * context * token_bytes);
  const auto rows = static_cast<double>(num_tokens), keys = static_cast<double>(context);
  const double pairs = static_cast<double>(num_sequences) * (rows * keys - rows * (rows - 1) / 2);
  work.f32_ops += 4.0 * pairs * config.num_heads * config.head_dim * config.num_layers;
  return work;
}

std::vector<ModelCase> model_cases(const EngineConfig& config) {
  constexpr int32_t kInput = 128, kOutput = 64;
  std::vector<ModelCase> cases;
  for (const int32_t batch : {1, 4, 16, 64}) {
    if (batch <= config.max_num_seqs && kInput + kOutput <= config.max_model_len)
      cases.push_back({fmt::format("decode x{}", batch), {batch, kInput, kOutput}, true});
  }
  if (config.max_model_len > 4096 + kOutput)
    cases.push_back({"decode x1 at 4096", {1, 4096, kOutput}, true});
  for (const int32_t length : {128, 512, 2048}) {
    if (length < config.max_model_len) cases.push_back({fmt::format("prefill {}", length), {1, length, 1}});
  }
  return cases;
}

Expected<RooflineRow> time_model(LLMEngine& engine, const EnginePlan& plan, const ModelCase& which,
                                 MachinePeaks& peaks, const Clock& clock) {
  const BatchSpec& batch = which.batch;
  const int64_t context = which.decode ? batch.input_len + batch.output_len / 2 : batch.input_len;
  Work work = step_work(plan, batch.batch_size, which.decode ? 1 : batch.input_len, context);
  const int32_t vocab = plan.model.config.vocab_size;
  std::vector<double> times, shares;
  Bound bound = Bound::kNone;
  for (int i = -1; i < kIterations; ++i) {
    const Peaks before = sample_peaks(peaks, work);
    const auto timing = time_batch(engine, batch, vocab, i + 1, clock);
    if (!timing) return std::unexpected(timing.error());
    const Peaks after = sample_peaks(peaks, work);
    if (i < 0 || (which.decode && !timing->decode_tokens_per_s)) continue;  // the first one warms up
    const LeastTime least = least_time(work, {.bandwidth = (before.bandwidth + after.bandwidth) / 2,
                                              .f32 = (before.f32 + after.f32) / 2,
                                              .int8 = (before.int8 + after.int8) / 2,
                                              .bf16 = (before.bf16 + after.bf16) / 2});
    times.push_back(which.decode ? batch.batch_size / *timing->decode_tokens_per_s
                                 : batch.input_len / timing->prefill_tokens_per_s);
    shares.push_back(least.seconds / times.back());
    bound = least.bound;
  }
  const double seconds = percentile(times, 50);
  const double rate = (which.decode ? batch.batch_size : batch.input_len) / seconds;
  return RooflineRow{.name = which.name,
                     .shape = fmt::format("{:.0f} tokens/s", rate),
                     .work = work,
                     .seconds = seconds,
                     .bound = bound,
                     .share = percentile(shares, 50)};
}

}  // namespace quire
