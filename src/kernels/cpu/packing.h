// Packed weights written and read back, for groups of 8 and of 16 rows. Portable; every level uses these.
#pragma once

#include "kernels/kernel_args.h"

namespace quire {

template <int kRows>
int64_t packed_bytes(DType dtype, int64_t rows, int64_t cols);

template <int kRows>
void pack(const PackArgs& args, int64_t begin, int64_t end);

template <int kRows>
void embed(const ExecContext& context, const EmbedArgs& args, int64_t begin, int64_t end);

}  // namespace quire
