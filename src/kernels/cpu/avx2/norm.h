// RMS norm and quantization in AVX2. The activations' layout is cpu/activation_tiles.h.
#pragma once

#include "kernels/kernel_args.h"

namespace quire::avx2 {

int64_t activation_bytes(ActivationFormat format, int64_t num_tokens, int64_t width);

void rms_norm(const ExecContext& context, const NormArgs& args, int64_t begin, int64_t end);
void quantize(const ExecContext& context, const QuantizeArgs& args, int64_t begin, int64_t end);

}  // namespace quire::avx2
