// Arguments of the kernels: plain structs of pointers, sizes and strides. This header is included by files
// that are compiled for different instruction sets, so it has no inline function and includes nothing that
// has.
//
// Conventions: sizes and strides are in elements unless a name says bytes; row-major; nothing aliases
// unless said; activations, sums and outputs are fp32. A buffer that a linear writes has rows of
// round_up(rows, row_group) floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype_layout.h"

namespace quire {

// Memory that a later operation will read: of each block, `block_lines` cache lines, blocks
// `block_stride_bytes` apart from `base` on. Lines are counted through `blocks`; [begin, end) of them are
// to be fetched.
struct FetchAhead {
  const std::byte* base;
  const int32_t* blocks;
  int64_t block_stride_bytes;
  int64_t block_lines;
  int64_t begin;
  int64_t end;
};

// What a kernel knows of its caller: which thread of how many, and scratch that is this thread's own
// (contents undefined, 64-byte aligned). On a GPU: the stream. Linears that are bound by arithmetic fetch
// `ahead`, if any, into the caches while they compute.
struct ExecContext {
  int32_t thread;
  std::byte* scratch;
  int64_t scratch_bytes;
  const FetchAhead* ahead = nullptr;
};

// Activations as a linear reads them. kF32: as they are; matrix tiles round them to bf16 where weights are
// bf16. kInt8: per token, blocks of 32 along the width, each with an fp32 scale d = max|x| / 127 and the sum
// of its quants; their placement is the instruction set's own (KernelTable).
enum class ActivationFormat : uint8_t { kF32, kInt8 };

// A weight matrix in the table's packed layout: groups of `row_group` rows, interleaved.
struct PackedMatrix {
  const std::byte* data;
  int64_t rows;  // outputs, padded with zeros to whole groups in the data
  int64_t cols;  // inputs; a multiple of block_elements(dtype)
  DType dtype;
};

// Packs `rows` rows of GGUF data into groups first_group, first_group + group_step, ... of `target`. A step
// of 2 puts two matrices into alternate groups (gate and up, for kSiluMul).
struct PackArgs {
  DType dtype;
  const std::byte* source;  // rows of row_bytes(dtype, cols), contiguous
  int64_t rows;
  int64_t cols;
  std::byte* target;  // 64-byte aligned
  int64_t first_group;
  int64_t group_step;
};

enum class Epilogue : uint8_t {
  kStore,    // out = product
  kAdd,      // out += product
  kSiluMul,  // groups alternate gate and up: out[column] = silu(gate) * up, half as many columns
};

struct LinearArgs {
  const std::byte* activations;  // num_tokens rows in `format`
  ActivationFormat format;
  PackedMatrix weight;
  float* out;  // [num_tokens, out_stride]
  int64_t out_stride;
  int64_t num_tokens;
  Epilogue epilogue;
  int64_t activation_stride;  // kF32: floats from token to token
};

struct EmbedArgs {
  PackedMatrix table;  // [vocab, width]
  const int32_t* ids;  // [num_tokens]
  float* out;          // [num_tokens, table.cols], rows `out_stride` apart
  int64_t num_tokens;
  int64_t out_stride;
};

// out = x / sqrt(mean(x^2) + epsilon) * weight, in `format`.
struct NormArgs {
  const float* x;  // [num_tokens, width], rows `x_stride` apart
  int64_t x_stride;
  const float* weight;  // [width]
  float epsilon;
  int64_t width;
  int64_t num_tokens;
  std::byte* out;
  ActivationFormat format;
  int64_t out_stride;  // kF32: floats from token to token
};

// Quantizes columns [begin_col, end_col) of fp32 rows to kInt8 activations. Columns may be done in any
// order, and by several threads.
struct QuantizeArgs {
  const float* x;  // [num_tokens, width], rows `x_stride` apart
  int64_t x_stride;
  int64_t width;  // a multiple of kQuantBlock
  int64_t num_tokens;
  std::byte* out;
  int64_t begin_col;  // multiples of kQuantBlock
  int64_t end_col;
};

// out = silu(gate) * up, or out = a + b; [num_tokens, width] each.
struct BinaryArgs {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  float* out;  // may be a or b
  int64_t out_stride;
  int64_t width;
  int64_t num_tokens;
};

// One layer's keys and values for all blocks. Those of one KV head in a block are kv_head_bytes() contiguous
// bytes each, at `keys` and `values` plus the strides; their placement within is the kernels' own.
struct KvCacheView {
  std::byte* keys;
  std::byte* values;
  int64_t block_stride_bytes;
  int64_t head_stride_bytes;
  int32_t block_size;
  int32_t num_kv_heads;
  int32_t head_dim;
  KvDType dtype;
};

// Rotary position embedding (Su et al. 2021) of q and k, and the write of k and v into their blocks.
struct RopeKvArgs {
  float* q;  // [num_tokens, num_heads, head_dim], rows `stride` apart; rotated in place
  float* k;  // [num_tokens, num_kv_heads, head_dim]; rotated in place by rope(), left as it is by
             // rope_kv_write()
  const float* v;
  int64_t stride;        // of q, k and v: they are parts of one row
  const float* cos_sin;  // [num_tokens, rope_dim / 2, 2]
  const int64_t* slots;  // [num_tokens]: block id * block_size + offset in the block
  int64_t num_tokens;
  int32_t num_heads;
  int32_t rope_dim;  // <= head_dim; the rest is not rotated
  bool interleaved;  // pairs (2i, 2i+1), else (i, i + rope_dim/2)
  KvCacheView kv;
};

// The rows of one sequence in a step. Row r (0 <= r < num_rows) sits at position context - num_rows + r and
// attends to positions up to its own.
struct AttentionSequence {
  int64_t first_row;  // in q and out
  int32_t num_rows;
  int32_t context;        // tokens in the cache, these rows included
  const int32_t* blocks;  // block table
};

// A piece of work that one thread does alone; made by plan_attention() once a step, used by every layer.
struct AttentionTask {
  int32_t sequence;
  int32_t kv_head;
  int32_t first_row;  // within the sequence
  int32_t num_rows;
  int32_t first_chunk;  // in units of kAttentionChunk positions
  int32_t num_chunks;
  int32_t partial;  // where its partial results go, or -1: it covers all chunks and writes `out` itself

  // Tasks of one chunk and neighbouring KV heads, whose keys and values lie side by side in a block, form
  // groups. While task `part` of a group's `parts` runs, it fetches such a part of the group that begins
  // with task `next_group` (-1: none).
  int32_t part = 0;
  int32_t parts = 1;
  int32_t next_group = -1;
  bool fetched = false;  // by the group before it
};

// Rows whose partials are to be folded, in chunk order.
struct AttentionMerge {
  int32_t sequence;
  int32_t kv_head;
  int32_t first_row;
  int32_t num_rows;
  int32_t first_partial;
  int32_t num_partials;
};

// Keys are folded in chunks of so many positions, counted from the sequence's start: the fixed places at
// which sums are split, whatever the batch and the thread count.
inline constexpr int32_t kAttentionChunk = 256;

struct AttentionArgs {
  const float* q;  // [num_tokens, num_heads, head_dim], rows `q_stride` apart
  int64_t q_stride;
  float* out;  // [num_tokens, num_heads * head_dim], rows `out_stride` apart
  int64_t out_stride;
  const AttentionSequence* sequences;
  const AttentionTask* tasks;
  int64_t num_tasks;  // what follows the items of a call is fetched ahead
  const AttentionMerge* merges;
  float* partials;  // see attention_plan.h
  int32_t num_heads;
  float scale;  // of the scores: 1 / sqrt(head_dim)
  KvCacheView kv;
};

}  // namespace quire
