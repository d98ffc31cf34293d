// The entries of fill_linear_* that all weights of a level share, after its RowVectors. Internal linkage.
#pragma once

#include "kernels/cpu/linear_f32.h"
#include "kernels/cpu/linear_q4.h"
#include "kernels/cpu/linear_q8.h"
#include "kernels/cpu/packing.h"
#include "kernels/kernel_entries.h"

namespace quire {
namespace {

template <DType kType>
void fill_f32(KernelTable& table) {
  table.linear[static_cast<int>(kType)][static_cast<int>(ActivationFormat::kF32)] = LinearF32<kType>::run;
}

// Quantized weights with int8 activations.
inline void fill_int8(KernelTable& table) {
  constexpr int kInt8 = static_cast<int>(ActivationFormat::kInt8);
  table.linear[static_cast<int>(DType::kQ4_0)][kInt8] = LinearQ4<DType::kQ4_0>::run;
  table.linear[static_cast<int>(DType::kQ4_1)][kInt8] = LinearQ4<DType::kQ4_1>::run;
  table.linear[static_cast<int>(DType::kQ8_0)][kInt8] = LinearQ8<>::run;
}

// Everything whose layout depends on the rows of a group.
inline void fill_row_group(KernelTable& table) {
  table.row_group = kRows;
  table.packed_bytes = packed_bytes<kRows>;
  table.pack = pack<kRows>;
  table.embed = embed<kRows>;
  table.scratch_bytes = [](int64_t) { return kLinearScratchBytes; };
  fill_f32<DType::kF32>(table);
  fill_f32<DType::kF16>(table);
  fill_f32<DType::kBF16>(table);
  fill_f32<DType::kQ4_0>(table);
  fill_f32<DType::kQ4_1>(table);
  fill_f32<DType::kQ8_0>(table);
  fill_int8(table);
}

}  // namespace
}  // namespace quire
