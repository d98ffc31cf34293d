// Rewrites of a graph. Each is a file of its own and testable alone. `lower` is required; the fuse_* passes
// are optimizations that never change a result: the unfused plan gives the same bits on the same
// instruction set.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace quire {

struct LowerOptions {
  bool int8_activations = true;  // quantize the inputs of linears whose weights are quantized
};

// Makes the graph executable: kv_read + attention become paged_attention (blocks are read in place; a copy
// would grow with the context), silu + mul become silu_mul, and quantize is put before linears that want
// it, once a value.
void lower(Graph& graph, const LowerOptions& options);

// rms_norm + quantize become one operation when nothing else reads the norm.
void fuse_norm_quantize(Graph& graph);

// silu_mul of two linears on one input becomes the epilogue of one linear with paired weights.
void fuse_activation(Graph& graph, int32_t row_group);

// Linears on one input become one with stacked weights, when types agree and rows fill whole groups.
void fuse_siblings(Graph& graph, int32_t row_group);

// linear + add become a linear that adds to the residual in place, when nothing reads the residual
// afterwards.
void fuse_residual(Graph& graph);

// rope of q, rope of k and kv_write become one operation.
void fuse_rope_kv_write(Graph& graph);

// A quantize alone reads what a linear or attention makes: they quantize each piece as it is finished, while
// it is in the cache.
void fuse_quantize(Graph& graph);

// All of the above, in their order.
void fuse(Graph& graph, int32_t row_group);

}  // namespace quire
