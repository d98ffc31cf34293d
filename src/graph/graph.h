// A model's forward pass as a small graph: values with one symbolic dimension, and about fifteen kinds of
// operation in the order they run. A model traces it once; passes rewrite it; plan_memory() turns it into a
// Plan, and only plans run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernel_args.h"
#include "tensor/dtype.h"

namespace quire {

using ValueId = int32_t;
using WeightId = int32_t;
inline constexpr int32_t kNoId = -1;

// The first dimension of a value, known only each step.
enum class Rows : uint8_t {
  kTokens,    // T: the tokens of the step
  kSelected,  // R: those of them whose logits are wanted
};

// A matrix [rows, cols]. A view lies in columns [offset, offset + cols) of its base: parts of fused
// linears, and results that take the place of an input.
struct GraphValue {
  Rows rows = Rows::kTokens;
  int64_t cols = 0;
  ActivationFormat format = ActivationFormat::kF32;
  ValueId base = kNoId;
  int64_t offset = 0;
};

// A matrix [rows, cols] of the model file, or several of them that passes made one: stacked, or, for gate
// and up, paired in alternate row groups. A norm's weight is [1, cols].
struct Weight {
  std::vector<std::string> parts = {};  // names in the model file
  DType dtype = DType::kF32;
  int64_t rows = 0;
  int64_t cols = 0;
  bool paired = false;
};

enum class OpKind : uint8_t {
  kEmbed,           // () -> x: rows of `weight` by the step's token ids
  kRmsNorm,         // x -> y
  kQuantize,        // x -> y in kInt8
  kLinear,          // x [, residual] -> y = epilogue(x * weight^T)
  kRope,            // x -> x in place, at the tokens' positions
  kKvWrite,         // k, v -> () into the blocks of `layer`
  kKvRead,          // () -> cache: the keys and values of `layer`; virtual, never stored
  kAttention,       // q, cache -> y
  kPagedAttention,  // q -> y, reading the blocks of `layer` in place
  kRopeKvWrite,     // q, k, v -> q in place; k and v go to the blocks of `layer`
  kSilu,            // x -> y
  kMul,             // a, b -> y
  kSiluMul,         // gate, up -> y
  kAdd,             // a, b -> y
  kGatherRows,      // x[T] -> y[R]: the selected rows
};

std::string_view to_string(OpKind kind);

// What attention and rotary embedding must know of the heads.
struct HeadShape {
  int32_t num_heads = 0;
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t rope_dim = 0;
  bool rope_interleaved = true;
};

struct Op {
  OpKind kind = OpKind::kAdd;
  std::vector<ValueId> inputs = {};
  ValueId output = kNoId;
  WeightId weight = kNoId;
  int32_t layer = kNoId;
  float epsilon = 0;
  int32_t heads = 0;  // kRope: heads in x
  Epilogue epilogue = Epilogue::kStore;
  ValueId quantized = kNoId;  // kLinear, kPagedAttention: also writes its output's int8 form
};

struct Graph {
  HeadShape heads;
  std::vector<GraphValue> values;
  std::vector<Weight> weights;
  std::vector<Op> ops;  // in a valid order; the last one's output is the logits [R, vocab]

  ValueId add_value(GraphValue value);
  WeightId add_weight(Weight weight);

  // The value that owns the storage of `id`, and the column at which `id` begins in it.
  ValueId root(ValueId id) const;
  int64_t column(ValueId id) const;

  // Operations that read `id` itself (not its views).
  int count_uses(ValueId id) const;
  // Index of the operation that made `id`, or kNoId for none.
  int32_t producer(ValueId id) const;
  // True if an operation after index `op` reads storage that `id` owns or views.
  bool used_after(ValueId id, int32_t op) const;
};

// One line an operation, weights with their shapes and types.
std::string to_string(const Graph& graph);

}  // namespace quire
