#include "runtime/compiled_model.h"

#include <utility>

#include "graph/passes/passes.h"
#include "models/architecture.h"
#include "weights/gguf_config.h"

namespace quire {
namespace {

// One request for each weight that an operation of the plan still uses.
std::vector<PackRequest> pack_requests(const Graph& graph) {
  std::vector<PackRequest> requests(graph.weights.size());
  for (const Op& op : graph.ops) {
    if (op.weight == kNoId) continue;
    const Weight& weight = graph.weights[static_cast<size_t>(op.weight)];
    requests[static_cast<size_t>(op.weight)] = {.parts = weight.parts,
                                                .dtype = weight.dtype,
                                                .rows = weight.rows,
                                                .cols = weight.cols,
                                                .paired = weight.paired,
                                                .vector = op.kind == OpKind::kRmsNorm};
  }
  return requests;
}

}  // namespace

Expected<CompiledModel> compile_model(const GgufFile& file, const KernelTable& kernels,
                                      const CompileOptions& options) {
  auto config = read_model_config(file);
  if (!config) return std::unexpected(config.error());
  const auto architecture = find_architecture(config->architecture);
  if (!architecture) return std::unexpected(architecture.error());
  if (auto configured = (*architecture)->configure(file, *config); !configured) {
    return std::unexpected(configured.error());
  }
  auto traced = (*architecture)->trace(file, *config);
  if (!traced) return std::unexpected(traced.error());
  Graph graph = *traced;
  lower(graph, {.int8_activations = options.int8_activations});
  if (options.fuse) fuse(graph, kernels.row_group);
  auto requests = pack_requests(graph);
  return CompiledModel{std::move(*config), std::move(*traced),
                       plan_memory(std::move(graph), options.limits, kernels), std::move(requests)};
}

}  // namespace quire
