#include "simulate/cost_model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

double token_seconds(const std::vector<CostModel::Point>& points, int64_t tokens) {
  if (tokens <= points.front().tokens || points.size() == 1) return points.front().seconds;
  const auto above =
      std::ranges::find_if(points, [&](const auto& point) { return point.tokens >= tokens; });
  const size_t upper = std::min<size_t>(static_cast<size_t>(above - points.begin()), points.size() - 1);
  const auto& [from, from_s] = points[upper - 1];
  const auto& [to, to_s] = points[upper];
  const double way = static_cast<double>(tokens - from) / static_cast<double>(to - from);
  return from_s + way * (to_s - from_s);
}

}  // namespace

StepWork work_of(const StepInput& input) {
  StepWork work{.samples = std::ssize(input.samples), .copies = std::ssize(input.copies)};
  for (const RowWork& row : input.work) {
    const int64_t num_tokens = row.num_tokens;
    work.tokens += num_tokens;
    if (num_tokens == 1) {
      work.context += row.first_position + 1;
    } else {
      work.pairs += num_tokens * row.first_position + num_tokens * (num_tokens + 1) / 2;
    }
  }
  return work;
}

double CostModel::seconds(const StepWork& work) const {
  CHECK(!points.empty(), "a cost model without points");
  return token_seconds(points, work.tokens) + sample_s * static_cast<double>(work.samples) +
         context_s * static_cast<double>(work.context) + pair_s * static_cast<double>(work.pairs) +
         copy_s * static_cast<double>(work.copies);
}

CostModel derive_cost_model(std::string name, std::string source, const AcceleratorSpec& accelerator,
                            const ModelSpec& model) {
  const double bandwidth = accelerator.memory_bytes_per_s * accelerator.memory_share;
  const double arithmetic = accelerator.operations_per_s * accelerator.operations_share;
  const double weights_s = model.num_parameters * model.bytes_per_parameter / bandwidth;
  const double token_s = 2 * model.num_parameters / arithmetic;
  const auto knee = std::max<int64_t>(1, static_cast<int64_t>(weights_s / token_s));
  const auto at = [&](int64_t tokens) {
    return CostModel::Point{tokens, std::max(weights_s, token_s * static_cast<double>(tokens))};
  };
  return {.name = std::move(name),
          .source = std::move(source),
          .points = {at(knee), at(knee + 1), at(2 * knee + 1)},
          .sample_s = 0,
          .context_s = model.kv_bytes_per_token / bandwidth,
          .pair_s = 4.0 * model.hidden_size * model.num_layers / arithmetic,
          .copy_s = 2 * model.kv_bytes_per_token * model.block_size / bandwidth};
}

ModelSpec opt_13b(int32_t block_size) {
  return {.num_parameters = 13e9,
          .bytes_per_parameter = 2,
          .num_layers = 40,
          .hidden_size = 5120,
          .kv_bytes_per_token = 2.0 * 5120 * 40 * 2,
          .block_size = block_size};
}

CostModel opt_13b_on_a100(int32_t block_size) {
  // NVIDIA's data sheet of the A100 of 40 GB, and shares that well-made kernels reach.
  const AcceleratorSpec a100{.memory_bytes_per_s = 1.555e12,
                             .operations_per_s = 312e12,
                             .memory_share = 0.8,
                             .operations_share = 0.5};
  return derive_cost_model("OPT-13B on an A100 of 40 GB",
                           "published: 26 GB of weights, 1.555 TB/s and 312 TFLOP/s, of which 80% and 50% "
                           "are taken as reached; 800 KB of keys and values a token",
                           a100, opt_13b(block_size));
}

}  // namespace quire
