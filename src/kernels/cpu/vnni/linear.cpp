#include "kernels/cpu/vnni/row_vectors.h"
// The linears are written for the RowVectors above.
#include "kernels/cpu/fill.h"
#include "kernels/cpu/linear_entries.h"

namespace quire {

void fill_linear_vnni(KernelTable& table) { fill_int8(table); }

}  // namespace quire
