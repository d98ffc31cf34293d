// The AVX2 forms of everything around a linear; groups have 8 rows.
#pragma once

#include "kernels/kernel_args.h"

namespace quire::avx2 {

int64_t activation_bytes(ActivationFormat format, int64_t num_tokens, int64_t width);
int64_t scratch_bytes(int64_t max_width);  // any width: panels are cut along it

void rms_norm(const ExecContext& context, const NormArgs& args, int64_t begin, int64_t end);
void quantize(const ExecContext& context, const QuantizeArgs& args, int64_t begin, int64_t end);

using LinearFunction = void (*)(const ExecContext&, const LinearArgs&, int64_t begin, int64_t end);

LinearFunction linear_q4_int8(DType dtype);  // q4_0, q4_1
LinearFunction linear_q8_int8();
LinearFunction linear_f32(DType dtype);  // fp32 activations, any weight

}  // namespace quire::avx2
