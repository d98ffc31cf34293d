// Who fills which entries of the KernelTable. select_kernels() calls the scalar ones first, then those of
// each instruction set up to the chosen one. A level that does not improve an entry leaves it as it is; the
// entries of one function share a layout and must be overwritten together.
#pragma once

#include "kernels/kernel_entries.h"

namespace quire {

// row_group, packed_bytes, activation_bytes, scratch_bytes, pack, embed, quantize, rms_norm, linear.
void fill_linear_scalar(KernelTable& table);
void fill_linear_avx2(KernelTable& table);
void fill_linear_avx512(KernelTable& table);
void fill_linear_vnni(KernelTable& table);  // only linears of quantized weights with int8 activations
// The same; linears of bf16 weights, and with them packed_bytes, pack, embed and scratch_bytes; and
// fill_norm_strips().
void fill_linear_amx(KernelTable& table);

// rms_norm and quantize of the AVX2 level, to activations in strips (cpu/activation_tiles.h).
void fill_norm_strips(KernelTable& table);

// silu_mul, add, argmax, max_sum_exp, select.
void fill_rows_scalar(KernelTable& table);
void fill_rows_avx2(KernelTable& table);
void fill_rows_avx512(KernelTable& table);

// rope, kv_write, rope_kv_write, attention, attention_merge.
void fill_attention_scalar(KernelTable& table);
void fill_attention_avx2(KernelTable& table);
void fill_attention_avx512(KernelTable& table);

}  // namespace quire
