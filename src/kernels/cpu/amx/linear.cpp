#include "kernels/cpu/amx/bf16_tiles.h"
#include "kernels/cpu/amx/tiles.h"
#include "kernels/cpu/vnni/row_vectors.h"
// The linears are written for the RowVectors and Tiles above.
#include "kernels/cpu/fill.h"
#include "kernels/cpu/tile_entries.h"

namespace quire {

void fill_linear_amx(KernelTable& table) { fill_tiles(table); }

}  // namespace quire
