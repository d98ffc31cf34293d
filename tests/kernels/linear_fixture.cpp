#include "tests/kernels/linear_fixture.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "tests/kernels/levels.h"
#include "tests/kernels/portable_levels.h"

namespace quire::testing {
namespace {

double half_value(const std::byte* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// A finite half: mostly around 2^-6, now and then zero, subnormal, or negative.
uint16_t random_half(Rng& rng) {
  const uint64_t kind = rng.below(16);
  if (kind == 0) return 0;
  if (kind == 1) return static_cast<uint16_t>(rng.below(1024));
  const auto sign = static_cast<uint16_t>(kind < 6 ? 0x8000 : 0);
  return static_cast<uint16_t>(sign | (7 + rng.below(4)) << 10 | rng.below(1024));
}

void put_half(std::byte* p, uint16_t bits) { std::memcpy(p, &bits, sizeof bits); }

void fill_block(Rng& rng, DType dtype, Values values, std::byte* block) {
  const int64_t header = dtype == DType::kQ4_1 ? 4 : 2;
  put_half(block, random_half(rng));
  if (dtype == DType::kQ4_1) put_half(block + 2, random_half(rng));
  for (int64_t i = header; i < block_bytes(dtype); ++i) {
    block[i] = static_cast<std::byte>(rng());
    if (values == Values::kExtreme) block[i] = static_cast<std::byte>(dtype == DType::kQ8_0 ? 0x80 : 0xff);
  }
}

float random_float(Rng& rng) { return static_cast<float>(rng.uniform() * 2.0 - 1.0); }

}  // namespace

const std::vector<const KernelTable*>& tables() {
  static const std::vector<const KernelTable*> all = [] {
    std::vector<const KernelTable*> levels = runnable_levels();
    for (const KernelTable* table : portable_levels()) levels.push_back(table);
    return levels;
  }();
  return all;
}

AlignedBytes::AlignedBytes(int64_t size) : storage_(static_cast<size_t>(size) + 64, std::byte{0xa5}) {
  const auto address = reinterpret_cast<uintptr_t>(storage_.data());
  data_ = storage_.data() + (64 - address % 64) % 64;
}

double SourceMatrix::at(int64_t row, int64_t col) const {
  const std::byte* p = data.data() + row * row_bytes(dtype, cols);
  if (!is_quantized(dtype)) {
    p += col * block_bytes(dtype);
    if (dtype == DType::kF16) return half_value(p);
    uint32_t bits = 0;
    std::memcpy(reinterpret_cast<std::byte*>(&bits) + (dtype == DType::kBF16 ? 2 : 0), p,
                static_cast<size_t>(block_bytes(dtype)));
    return std::bit_cast<float>(bits);
  }
  p += col / kQuantBlock * block_bytes(dtype);
  const int64_t i = col % kQuantBlock;
  const double scale = half_value(p);
  if (dtype == DType::kQ8_0) return scale * static_cast<int8_t>(p[2 + i]);
  const std::byte* nibbles = p + (dtype == DType::kQ4_1 ? 4 : 2);
  const int byte = std::to_integer<int>(nibbles[i % 16]);
  const int quant = i < 16 ? byte & 15 : byte >> 4;
  return dtype == DType::kQ4_0 ? scale * (quant - 8) : scale * quant + half_value(p + 2);
}

SourceMatrix random_matrix(Rng& rng, DType dtype, int64_t rows, int64_t cols, Values values) {
  SourceMatrix m{dtype, rows, cols,
                 std::vector<std::byte>(static_cast<size_t>(rows * row_bytes(dtype, cols)))};
  std::byte* p = m.data.data();
  const int64_t units = rows * cols / block_elements(dtype);
  for (int64_t i = 0; i < units; ++i, p += block_bytes(dtype)) {
    if (is_quantized(dtype)) {
      fill_block(rng, dtype, values, p);
    } else if (dtype == DType::kF16) {
      put_half(p, random_half(rng));
    } else {
      const auto bits = std::bit_cast<uint32_t>(random_float(rng));
      std::memcpy(p, reinterpret_cast<const std::byte*>(&bits) + (dtype == DType::kBF16 ? 2 : 0),
                  static_cast<size_t>(block_bytes(dtype)));
    }
  }
  return m;
}

std::vector<float> random_activations(Rng& rng, int64_t num_tokens, int64_t width, Values values) {
  std::vector<float> x(static_cast<size_t>(num_tokens * width));
  for (float& v : x) {
    v = random_float(rng) * (rng.below(50) == 0 ? 8.0F : 1.0F);
    if (values == Values::kExtreme) v = rng.below(8) == 0 ? 3.0F : -3.0F;
  }
  return x;
}

Packed::Packed(const KernelTable& table, const SourceMatrix& source)
    : bytes(table.packed_bytes(source.dtype, source.rows, source.cols)),
      rows(source.rows),
      cols(source.cols),
      dtype(source.dtype) {
  const PackArgs args{source.dtype, source.data.data(), source.rows, source.cols, bytes.data(), 0, 1};
  table.pack(args, 0, padded_rows(table, source.rows) / table.row_group);
}

bool rounds_activations(const KernelTable& table, DType dtype) {
  return table.isa == Isa::kAmx && dtype == DType::kBF16;
}

double sum_of_magnitudes(const SourceMatrix& weight, int64_t row, const float* x) {
  double sum = 0;
  for (int64_t k = 0; k < weight.cols; ++k) sum += std::fabs(weight.at(row, k) * x[k]);
  return sum;
}

int64_t padded_rows(const KernelTable& table, int64_t rows) {
  return (rows + table.row_group - 1) / table.row_group * table.row_group;
}

std::vector<float> run_linear(const KernelTable& table, const PackedMatrix& weight,
                              const std::vector<float>& x, const LinearRun& run) {
  AlignedBytes scratch(table.scratch_bytes(weight.cols));
  const ExecContext context{0, scratch.data(), table.scratch_bytes(weight.cols)};
  AlignedBytes quants(table.activation_bytes(ActivationFormat::kInt8, run.num_tokens, weight.cols));
  const auto* activations = reinterpret_cast<const std::byte*>(x.data());
  if (run.format == ActivationFormat::kInt8) {
    table.quantize(context,
                   {x.data(), weight.cols, weight.cols, run.num_tokens, quants.data(), 0, weight.cols}, 0,
                   run.num_tokens);
    activations = quants.data();
  }
  int64_t items = padded_rows(table, weight.rows) / table.row_group;
  if (run.epilogue == Epilogue::kSiluMul) items /= 2;
  const int64_t width = items * table.row_group;
  std::vector<float> out(static_cast<size_t>(run.num_tokens * width), -77.0F);
  if (!run.initial.empty()) out = run.initial;
  const LinearArgs args{activations, run.format,     weight,       out.data(),
                        width,       run.num_tokens, run.epilogue, weight.cols};
  const auto linear = table.linear[static_cast<int>(weight.dtype)][static_cast<int>(run.format)];
  int64_t begin = 0;
  for (int64_t cut : run.cuts) {
    const int64_t end = std::clamp(cut, begin, items);
    linear(context, args, begin, end);
    begin = end;
  }
  linear(context, args, begin, items);
  return out;
}

}  // namespace quire::testing
