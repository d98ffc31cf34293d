#include "kernels/cpu/avx512/row_vectors.h"

namespace quire {
namespace {
using RowVectors = Avx512Rows;
}
}  // namespace quire

// linear_entries.h is written for the RowVectors above.
#include "kernels/cpu/fill.h"
#include "kernels/cpu/linear_entries.h"

namespace quire {

// Activations lie as at the AVX2 level, so its norm and quantizer stay: they are bound by memory.
void fill_linear_avx512(KernelTable& table) { fill_row_group(table); }

}  // namespace quire
