#include "graph/passes/passes.h"

namespace quire {

void fuse(Graph& graph, int32_t row_group) {
  fuse_norm_quantize(graph);
  fuse_activation(graph, row_group);  // before siblings, which would stack gate and up
  fuse_siblings(graph, row_group);
  fuse_residual(graph);
  fuse_rope_kv_write(graph);
  fuse_quantize(graph);
}

}  // namespace quire
