// The entries of the levels with matrix tiles, after their RowVectors, Tiles and Bf16Tiles. Internal
// linkage.
#pragma once

#include "kernels/cpu/fill.h"
#include "kernels/cpu/linear_bf16.h"
#include "kernels/cpu/linear_tiles.h"
#include "kernels/cpu/tile_packing.h"
#include "kernels/kernel_entries.h"

namespace quire {
namespace {

inline void fill_tiles(KernelTable& table) {
  constexpr int kInt8 = static_cast<int>(ActivationFormat::kInt8);
  fill_norm_strips(table);
  table.packed_bytes = tile_packed_bytes;
  table.pack = tile_pack;
  table.embed = tile_embed;
  table.scratch_bytes = [](int64_t) {
    return kTileScratchBytes > LinearBf16::kScratchBytes ? kTileScratchBytes : LinearBf16::kScratchBytes;
  };
  table.linear[static_cast<int>(DType::kQ4_0)][kInt8] = LinearTiles<DType::kQ4_0>::run;
  table.linear[static_cast<int>(DType::kQ4_1)][kInt8] = LinearTiles<DType::kQ4_1>::run;
  table.linear[static_cast<int>(DType::kQ8_0)][kInt8] = LinearTiles<DType::kQ8_0>::run;
  table.linear[static_cast<int>(DType::kBF16)][static_cast<int>(ActivationFormat::kF32)] = LinearBf16::run;
}

}  // namespace
}  // namespace quire
