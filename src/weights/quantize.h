// Rows of float32 to the element types of GGUF and back. Formats: tensor/dtype.h. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace quire {

// Rounds each element to the nearest value that `dtype` can represent with its block's scale: q4_0 maps the
// element of largest magnitude to -8 or 8 steps, q4_1 the smallest and largest to 0 and 15, q8_0 the
// largest magnitude to 127. Elements are finite; values.size() is a multiple of block_elements(dtype),
// out.size() is row_bytes of it.
void quantize_row(DType dtype, std::span<const float> values, std::span<std::byte> out);

// Exact: the one float32 that each element stands for (of d * q + m, its nearest). Sizes as above.
void dequantize_row(DType dtype, std::span<const std::byte> row, std::span<float> out);

}  // namespace quire
