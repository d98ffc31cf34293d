// The portable RMS norm and quantizer. int8 activations lie token by token, block by block: 32 quants, then
// the scale, then the scaled sum.
#pragma once

#include "kernels/kernel_args.h"

namespace quire::scalar {

int64_t activation_bytes(ActivationFormat format, int64_t num_tokens, int64_t width);

void rms_norm(const ExecContext& context, const NormArgs& args, int64_t begin, int64_t end);
void quantize(const ExecContext& context, const QuantizeArgs& args, int64_t begin, int64_t end);

}  // namespace quire::scalar
