// Choosing the KernelTable (kernels/kernel_entries.h) once, at start.
#pragma once

#include <string_view>

#include "base/error.h"
#include "kernels/kernel_entries.h"
#include "tensor/dtype.h"

namespace quire {

std::string_view to_string(Isa isa);

// The best table for this CPU. `override_name` (QUIRE_ISA: scalar, avx2, avx512) forces a lower level; one
// that the CPU lacks is an error that names those it has. Empty: no override.
Expected<const KernelTable*> select_kernels(std::string_view override_name);

// The table of one level, or null if this CPU lacks it.
const KernelTable* kernels_for(Isa isa);

}  // namespace quire
