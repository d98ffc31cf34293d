#include "kernels/cpu/avx2/row_vectors.h"
// linear_entries.h is written for the RowVectors above.
#include "kernels/cpu/avx2/norm.h"
#include "kernels/cpu/fill.h"
#include "kernels/cpu/linear_entries.h"

namespace quire {

void fill_linear_avx2(KernelTable& table) {
  fill_row_group(table);
  table.activation_bytes = avx2::activation_bytes;
  table.rms_norm = avx2::rms_norm;
  table.quantize = avx2::quantize;
}

}  // namespace quire
