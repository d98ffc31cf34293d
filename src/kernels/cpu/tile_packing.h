// Packed weights of the levels with matrix tiles, in groups of 16 rows: bf16 in tiles of 32 k, the other
// types as cpu/packing.h has them (cpu/packed_layout.h states both). Portable.
#pragma once

#include "kernels/kernel_args.h"

namespace quire {

int64_t tile_packed_bytes(DType dtype, int64_t rows, int64_t cols);

void tile_pack(const PackArgs& args, int64_t begin, int64_t end);

void tile_embed(const ExecContext& context, const EmbedArgs& args, int64_t begin, int64_t end);

}  // namespace quire
