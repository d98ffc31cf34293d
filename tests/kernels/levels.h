// The levels of instruction sets that this CPU can run; says which it cannot.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace quire {

inline std::vector<const KernelTable*> runnable_levels() {
  std::vector<const KernelTable*> levels;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    if (const KernelTable* table = kernels_for(isa)) {
      levels.push_back(table);
    } else {
      std::printf("not on this CPU, skipped: %s\n", std::string(to_string(isa)).c_str());
    }
  }
  return levels;
}

}  // namespace quire
