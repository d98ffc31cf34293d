#include "kernels/cpu/tile_packing.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/packed_layout.h"
#include "kernels/cpu/packing.h"
#include "kernels/cpu/scalar/half.h"

namespace quire {
namespace {

constexpr int64_t kRows = kBf16TileRows;
constexpr int64_t kHalfBytes = 2;

int64_t group_bytes(int64_t cols) { return count_bf16_tiles(cols) * kBf16TileBytes; }

// Where element `k` of a group's row `lane` lies.
int64_t offset_of(int64_t lane, int64_t k) {
  const int64_t pair = k % kBf16TileCols / 2;
  return k / kBf16TileCols * kBf16TileBytes + ((pair * kRows + lane) * 2 + k % 2) * kHalfBytes;
}

void pack_group(const PackArgs& args, int64_t first_row, std::byte* group) {
  const int64_t rows = std::min(args.rows - first_row, kRows);
  const std::byte* source = args.source + first_row * args.cols * kHalfBytes;
  std::memset(group, 0, static_cast<size_t>(group_bytes(args.cols)));
  for (int64_t k = 0; k < args.cols; k += 2) {
    const int64_t bytes = std::min<int64_t>(args.cols - k, 2) * kHalfBytes;
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(group + offset_of(r, k), source + (r * args.cols + k) * kHalfBytes,
                  static_cast<size_t>(bytes));
    }
  }
}

}  // namespace

int64_t tile_packed_bytes(DType dtype, int64_t rows, int64_t cols) {
  if (dtype != DType::kBF16) return packed_bytes<kRows>(dtype, rows, cols);
  return (rows + kRows - 1) / kRows * group_bytes(cols);
}

void tile_pack(const PackArgs& args, int64_t begin, int64_t end) {
  if (args.dtype != DType::kBF16) return pack<kRows>(args, begin, end);
  for (int64_t g = begin; g < end; ++g) {
    const int64_t place = args.first_group + g * args.group_step;
    pack_group(args, g * kRows, args.target + place * group_bytes(args.cols));
  }
}

void tile_embed(const ExecContext& context, const EmbedArgs& args, int64_t begin, int64_t end) {
  if (args.table.dtype != DType::kBF16) return embed<kRows>(context, args, begin, end);
  for (int64_t t = begin; t < end; ++t) {
    const int64_t row = args.ids[t];
    const std::byte* group = args.table.data + row / kRows * group_bytes(args.table.cols);
    float* out = args.out + t * args.out_stride;
    for (int64_t k = 0; k < args.table.cols; ++k) {
      uint16_t value;
      std::memcpy(&value, group + offset_of(row % kRows, k), sizeof value);
      out[k] = float_from_bf16(value);
    }
  }
}

}  // namespace quire
