// The linears of levels that few CPUs have, on vectors and tiles in plain C++.
#pragma once

#include <vector>

#include "kernels/kernel_table.h"

namespace quire {

// As the AVX-512, VNNI and AMX levels, but for their instructions; empty on a CPU without AVX2, whose
// quantizer they share.
std::vector<const KernelTable*> portable_levels();

}  // namespace quire
