#include "tests/kernels/portable_levels.h"

#include "base/check.h"
#include "tests/kernels/portable_vectors.h"
// The linears are written for the RowVectors and Tiles above.
#include "kernels/cpu/linear_entries.h"
#include "kernels/cpu/tile_entries.h"

namespace quire {

std::vector<const KernelTable*> portable_levels() {
  const KernelTable* avx2 = kernels_for(Isa::kAvx2);
  if (avx2 == nullptr) return {};
  static KernelTable avx512 = *avx2, vnni = *avx2, amx = *avx2;
  for (KernelTable* table : {&avx512, &vnni, &amx}) fill_row_group(*table);
  constexpr int kInt8 = static_cast<int>(ActivationFormat::kInt8);
  avx512.linear[static_cast<int>(DType::kQ4_0)][kInt8] = LinearQ4<DType::kQ4_0, PairVectors>::run;
  avx512.linear[static_cast<int>(DType::kQ4_1)][kInt8] = LinearQ4<DType::kQ4_1, PairVectors>::run;
  avx512.linear[static_cast<int>(DType::kQ8_0)][kInt8] = LinearQ8<PairVectors>::run;
  fill_tiles(amx);
  avx512.isa = Isa::kAvx512;
  vnni.isa = Isa::kVnni;
  amx.isa = Isa::kAmx;
  return {&avx512, &vnni, &amx};
}

}  // namespace quire
