// Element types (tensor/dtype_layout.h) with their names.
#pragma once

#include <string_view>

#include "tensor/dtype_layout.h"

namespace quire {

// Name as users see it: f32, f16, bf16, q4_0, q4_1, q8_0.
std::string_view to_string(DType dtype);
// f32, f16, bf16, int8.
std::string_view to_string(KvDType dtype);

}  // namespace quire
