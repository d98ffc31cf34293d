// Every kernel as a function pointer, chosen once at start. select() fills the table with the scalar forms,
// then each instruction set that the CPU has overwrites what it improves.
//
// A kernel works on items [begin, end) of its work; what an item is stands beside each entry. The caller
// splits items over threads; results never depend on how. Each output element is summed in one fixed order,
// so that a token's result does not depend on num_tokens, the split, or the thread count.
//
// Apart from kernel_table.h for the files of one instruction set: nothing here has inline functions.
#pragma once

#include <cstdint>

#include "kernels/kernel_args.h"

namespace quire {

enum class Isa : uint8_t { kScalar, kAvx2, kAvx512, kVnni, kAmx };

struct KernelTable {
  Isa isa;
  // Rows in a group of packed weights, and floats to which a linear's output rows are padded.
  int32_t row_group;

  // Bytes of a packed matrix / of num_tokens activations. `cols` and `width` as in PackedMatrix.
  int64_t (*packed_bytes)(DType dtype, int64_t rows, int64_t cols);
  int64_t (*activation_bytes)(ActivationFormat format, int64_t num_tokens, int64_t width);
  // Scratch that one thread needs in any kernel, for rows up to max_width wide.
  int64_t (*scratch_bytes)(int64_t max_width);

  void (*pack)(const PackArgs&, int64_t begin, int64_t end);  // item: a group of source rows
  void (*embed)(const ExecContext&, const EmbedArgs&, int64_t begin, int64_t end);        // item: a token
  void (*rms_norm)(const ExecContext&, const NormArgs&, int64_t begin, int64_t end);      // item: a token
  void (*quantize)(const ExecContext&, const QuantizeArgs&, int64_t begin, int64_t end);  // item: a token
  // Item: a group of weight rows; with kSiluMul a pair of groups. By weight type and activation format;
  // quantized weights take both formats, the others kF32 only (the entry for kInt8 is null).
  void (*linear[kNumDTypes][2])(const ExecContext&, const LinearArgs&, int64_t begin, int64_t end);
  void (*silu_mul)(const ExecContext&, const BinaryArgs&, int64_t begin, int64_t end);  // item: a token
  void (*add)(const ExecContext&, const BinaryArgs&, int64_t begin, int64_t end);       // item: a token
  void (*rope)(const ExecContext&, const RopeKvArgs&, int64_t begin, int64_t end);      // item: a token
  void (*kv_write)(const ExecContext&, const RopeKvArgs&, int64_t begin, int64_t end);  // item: a token
  void (*rope_kv_write)(const ExecContext&, const RopeKvArgs&, int64_t begin,
                        int64_t end);                                                       // item: a token
  void (*attention)(const ExecContext&, const AttentionArgs&, int64_t begin, int64_t end);  // item: a task
  void (*attention_merge)(const ExecContext&, const AttentionArgs&, int64_t begin,
                          int64_t end);  // item: a merge

  // Over one row of logits. argmax: the lowest index among equals. max_sum_exp: maximum, and the sum of
  // exp(scale * (x - maximum)). select: the indices of all x >= threshold, ascending, into `out` (room for
  // `count`); returns how many.
  int64_t (*argmax)(const float* x, int64_t count);
  void (*max_sum_exp)(const float* x, int64_t count, float scale, float* maximum, double* sum);
  int64_t (*select)(const float* x, int64_t count, float threshold, int32_t* out);
};

}  // namespace quire
