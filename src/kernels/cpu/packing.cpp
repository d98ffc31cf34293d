#include "kernels/cpu/packing.h"

#include <cstring>

#include "kernels/cpu/packed_layout.h"
#include "kernels/cpu/scalar/half.h"

namespace quire {
namespace {

constexpr int64_t kHalfBytes = 2;

// One block of a GGUF row goes to lane `lane` of a packed block.
struct BlockShape {
  int64_t source_bytes;
  int64_t header_halves;  // fp16 scale, and minimum
  int64_t quads;
};

BlockShape block_shape(DType dtype) {
  const int64_t headers = dtype == DType::kQ4_1 ? 2 : 1;
  return {block_bytes(dtype), headers, dtype == DType::kQ8_0 ? kQ8Quads : kQ4Quads};
}

template <int kRows>
void pack_quantized_lane(const BlockShape& shape, const std::byte* source, std::byte* block, int64_t lane) {
  const std::byte* quants = source + shape.header_halves * kHalfBytes;
  for (int64_t j = 0; j < shape.quads; ++j) std::memcpy(block + (j * kRows + lane) * 4, quants + j * 4, 4);
  std::byte* headers = block + shape.quads * kRows * 4;
  for (int64_t h = 0; h < shape.header_halves; ++h) {
    std::memcpy(headers + (h * kRows + lane) * kHalfBytes, source + h * kHalfBytes, kHalfBytes);
  }
}

template <int kRows>
void pack_quantized_group(const PackArgs& args, int64_t first_row, int64_t rows, std::byte* group) {
  const BlockShape shape = block_shape(args.dtype);
  const int64_t stride = row_bytes(args.dtype, args.cols);
  const std::byte* source = args.source + first_row * stride;
  for (int64_t b = 0; b < args.cols / kQuantBlock; ++b, group += kRows * shape.source_bytes) {
    for (int64_t r = 0; r < rows; ++r) {
      pack_quantized_lane<kRows>(shape, source + r * stride + b * shape.source_bytes, group, r);
    }
  }
}

template <int kRows, class Element>
void pack_plain_group(const PackArgs& args, int64_t first_row, int64_t rows, std::byte* group) {
  constexpr int64_t kBytes = sizeof(Element);
  const std::byte* source = args.source + first_row * args.cols * kBytes;
  for (int64_t k = 0; k < args.cols; ++k) {
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(group + (k * kRows + r) * kBytes, source + (r * args.cols + k) * kBytes, kBytes);
    }
  }
}

uint16_t load_half(const std::byte* data) {
  uint16_t value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

// One lane of a packed block as floats; `out` has kQuantBlock elements.
template <int kRows>
void dequantize_lane(DType dtype, const std::byte* block, int64_t lane, float* out) {
  const BlockShape shape = block_shape(dtype);
  const std::byte* headers = block + shape.quads * kRows * 4;
  const float scale = float_from_f16(load_half(headers + lane * kHalfBytes));
  const float minimum =
      dtype == DType::kQ4_1 ? float_from_f16(load_half(headers + (kRows + lane) * kHalfBytes)) : 0.0F;
  const int offset = dtype == DType::kQ4_0 ? 8 : 0;
  for (int64_t j = 0; j < shape.quads; ++j) {
    const std::byte* quad = block + (j * kRows + lane) * 4;
    for (int64_t i = 0; i < 4; ++i) {
      const int byte = std::to_integer<int>(quad[i]);
      if (dtype == DType::kQ8_0) {
        out[j * 4 + i] = scale * static_cast<float>(static_cast<int8_t>(byte));
      } else {
        out[j * 4 + i] = scale * static_cast<float>((byte & 15) - offset) + minimum;
        out[j * 4 + i + 16] = scale * static_cast<float>((byte >> 4) - offset) + minimum;
      }
    }
  }
}

template <int kRows>
void embed_row(const PackedMatrix& table, int64_t row, float* out) {
  const int64_t lane = row % kRows;
  const std::byte* group = table.data + row / kRows * kRows * row_bytes(table.dtype, table.cols);
  if (is_quantized(table.dtype)) {
    const int64_t stride = kRows * block_bytes(table.dtype);
    for (int64_t k = 0; k < table.cols; k += kQuantBlock, group += stride) {
      dequantize_lane<kRows>(table.dtype, group, lane, out + k);
    }
    return;
  }
  if (table.dtype == DType::kF32) {
    for (int64_t k = 0; k < table.cols; ++k) std::memcpy(out + k, group + (k * kRows + lane) * 4, 4);
    return;
  }
  for (int64_t k = 0; k < table.cols; ++k) {
    const uint16_t value = load_half(group + (k * kRows + lane) * kHalfBytes);
    out[k] = table.dtype == DType::kF16 ? float_from_f16(value) : float_from_bf16(value);
  }
}

}  // namespace

template <int kRows>
int64_t packed_bytes(DType dtype, int64_t rows, int64_t cols) {
  return (rows + kRows - 1) / kRows * kRows * row_bytes(dtype, cols);
}

template <int kRows>
void pack(const PackArgs& args, int64_t begin, int64_t end) {
  const int64_t group_bytes = kRows * row_bytes(args.dtype, args.cols);
  for (int64_t g = begin; g < end; ++g) {
    std::byte* group = args.target + (args.first_group + g * args.group_step) * group_bytes;
    const int64_t first_row = g * kRows;
    const int64_t rows = args.rows - first_row < kRows ? args.rows - first_row : kRows;
    if (rows < kRows) std::memset(group, 0, static_cast<size_t>(group_bytes));
    switch (args.dtype) {
      case DType::kF32: pack_plain_group<kRows, uint32_t>(args, first_row, rows, group); break;
      case DType::kF16:
      case DType::kBF16: pack_plain_group<kRows, uint16_t>(args, first_row, rows, group); break;
      case DType::kQ4_0:
      case DType::kQ4_1:
      case DType::kQ8_0: pack_quantized_group<kRows>(args, first_row, rows, group); break;
    }
  }
}

template <int kRows>
void embed(const ExecContext&, const EmbedArgs& args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    embed_row<kRows>(args.table, args.ids[t], args.out + t * args.out_stride);
}

template int64_t packed_bytes<8>(DType, int64_t, int64_t);
template int64_t packed_bytes<16>(DType, int64_t, int64_t);
template void pack<8>(const PackArgs&, int64_t, int64_t);
template void pack<16>(const PackArgs&, int64_t, int64_t);
template void embed<8>(const ExecContext&, const EmbedArgs&, int64_t, int64_t);
template void embed<16>(const ExecContext&, const EmbedArgs&, int64_t, int64_t);

}  // namespace quire
