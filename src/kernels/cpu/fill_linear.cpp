#include <initializer_list>

#include "kernels/cpu/avx2/linear.h"
#include "kernels/cpu/fill.h"
#include "kernels/cpu/packing.h"
#include "kernels/cpu/scalar/linear.h"

namespace quire {
namespace {

template <class Function>
void fill_linears(KernelTable& table, Function linear) {
  for (int i = 0; i < kNumDTypes; ++i) {
    for (ActivationFormat format : {ActivationFormat::kF32, ActivationFormat::kInt8}) {
      table.linear[i][static_cast<int>(format)] = linear(static_cast<DType>(i), format);
    }
  }
}

}  // namespace

void fill_linear_scalar(KernelTable& table) {
  table.row_group = 8;
  table.packed_bytes = packed_bytes<8>;
  table.pack = pack<8>;
  table.embed = embed<8>;
  table.activation_bytes = scalar::activation_bytes;
  table.scratch_bytes = scalar::scratch_bytes;
  table.rms_norm = scalar::rms_norm;
  table.quantize = scalar::quantize;
  fill_linears(table, scalar::linear);
}

void fill_linear_avx2(KernelTable& table) {
  table.activation_bytes = avx2::activation_bytes;
  table.scratch_bytes = avx2::scratch_bytes;
  table.rms_norm = avx2::rms_norm;
  table.quantize = avx2::quantize;
  fill_linears(table, [](DType dtype, ActivationFormat format) -> avx2::LinearFunction {
    if (format == ActivationFormat::kF32) return avx2::linear_f32(dtype);
    if (dtype == DType::kQ8_0) return avx2::linear_q8_int8();
    return is_quantized(dtype) ? avx2::linear_q4_int8(dtype) : nullptr;
  });
}

// The AVX2 forms are the best ones so far for these entries.
void fill_linear_avx512(KernelTable&) {}

}  // namespace quire
