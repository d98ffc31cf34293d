// The entries of the levels with matrix tiles, after their RowVectors and Tiles. Internal linkage.
#pragma once

#include "kernels/cpu/fill.h"
#include "kernels/cpu/linear_tiles.h"
#include "kernels/kernel_entries.h"

namespace quire {
namespace {

inline void fill_tiles(KernelTable& table) {
  constexpr int kInt8 = static_cast<int>(ActivationFormat::kInt8);
  fill_norm_strips(table);
  table.scratch_bytes = [](int64_t) { return kTileScratchBytes; };
  table.linear[static_cast<int>(DType::kQ4_0)][kInt8] = LinearTiles<DType::kQ4_0>::run;
  table.linear[static_cast<int>(DType::kQ4_1)][kInt8] = LinearTiles<DType::kQ4_1>::run;
  table.linear[static_cast<int>(DType::kQ8_0)][kInt8] = LinearTiles<DType::kQ8_0>::run;
}

}  // namespace
}  // namespace quire
