// Random matrices in GGUF's formats, packed and run by one level's table; and the plain double-precision
// reference.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "kernels/kernel_table.h"
#include "tensor/dtype.h"

namespace quire::testing {

inline constexpr DType kAllTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16,
                                      DType::kQ4_0, DType::kQ4_1, DType::kQ8_0};
inline constexpr DType kQuantTypes[] = {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0};

// Levels that this CPU has (the ones it lacks are printed once), and those of portable_levels.h.
const std::vector<const KernelTable*>& tables();

// Memory as the engine gives it: 64-byte aligned. Filled with a pattern, so that a byte that should have
// been written shows.
class AlignedBytes {
 public:
  explicit AlignedBytes(int64_t size);
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }

 private:
  std::vector<std::byte> storage_;
  std::byte* data_;
};

enum class Values { kRandom, kExtreme };  // kExtreme: all quants at their largest magnitude

// A matrix as a model file holds it.
struct SourceMatrix {
  DType dtype;
  int64_t rows;
  int64_t cols;
  std::vector<std::byte> data;

  double at(int64_t row, int64_t col) const;  // from GGUF's definition
};

SourceMatrix random_matrix(Rng& rng, DType dtype, int64_t rows, int64_t cols,
                           Values values = Values::kRandom);

// [num_tokens, width]; kExtreme: all of a row's magnitudes equal, so that all quants are +-127.
std::vector<float> random_activations(Rng& rng, int64_t num_tokens, int64_t width,
                                      Values values = Values::kRandom);

// A matrix packed for one level.
struct Packed {
  Packed(const KernelTable& table, const SourceMatrix& source);
  PackedMatrix matrix() const { return {bytes.data(), rows, cols, dtype}; }
  AlignedBytes bytes;
  int64_t rows;
  int64_t cols;
  DType dtype;
};

struct LinearRun {
  ActivationFormat format = ActivationFormat::kInt8;
  Epilogue epilogue = Epilogue::kStore;
  int64_t num_tokens = 1;
  std::vector<int64_t> cuts = {};   // items at which the call is cut into several
  std::vector<float> initial = {};  // contents of `out` before, for kAdd
};

// x: [num_tokens, weight.cols] -> [num_tokens, padded rows], quantizing x first where the format is kInt8.
std::vector<float> run_linear(const KernelTable& table, const PackedMatrix& weight,
                              const std::vector<float>& x, const LinearRun& run);

// Levels with matrix tiles multiply weights of bf16 by activations rounded to bf16. Their relative error is
// then up to 2^-8 of each product's magnitude: linear() may differ from the other levels' by that of the sum
// of magnitudes.
bool rounds_activations(const KernelTable& table, DType dtype);
inline constexpr double kRoundedError = 0x1p-8;

// The sum of |w| * |x| over a row of weights and a token.
double sum_of_magnitudes(const SourceMatrix& weight, int64_t row, const float* x);

int64_t padded_rows(const KernelTable& table, int64_t rows);

}  // namespace quire::testing
