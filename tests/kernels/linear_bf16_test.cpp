// Weights of bf16 on matrix tiles: the bits that cpu/packed_layout.h defines, whatever the shape and the
// batch. tests/kernels/linear_test.cpp has what holds for all levels, and the parity with scalar.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/half.h"
#include "tests/kernels/linear_fixture.h"

namespace quire {
namespace {

using namespace quire::testing;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<const KernelTable*> tile_levels() {
  std::vector<const KernelTable*> levels;
  for (const KernelTable* table : tables()) {
    if (rounds_activations(*table, DType::kBF16)) levels.push_back(table);
  }
  return levels;
}

float round_to_bf16(float x) { return bf16_to_float(float_to_bf16(x)); }

float flush(float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? x * 0.0F : x; }

// As cpu/packed_layout.h says it. All of a matrix's values are exact in fp32.
float defined_sum(const SourceMatrix& weight, int64_t row, const float* x) {
  float sum = 0;
  for (int64_t k = 0; k < weight.cols; k += 32) {
    float parts[2] = {};
    for (int64_t i = k; i < std::min(k + 32, weight.cols); ++i) {
      const auto w = static_cast<float>(weight.at(row, i));
      parts[i % 2] = flush(std::fma(flush(w), flush(round_to_bf16(x[i])), parts[i % 2]));
    }
    sum = flush(sum + flush(parts[0] + parts[1]));
  }
  return sum;
}

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<float> product(const KernelTable& table, const SourceMatrix& source,
                           const std::vector<float>& x, int64_t num_tokens) {
  return run_linear(table, Packed(table, source).matrix(), x,
                    {.format = ActivationFormat::kF32, .num_tokens = num_tokens});
}

SourceMatrix matrix_of(int64_t rows, int64_t cols, const std::vector<float>& values) {
  SourceMatrix m{DType::kBF16, rows, cols, std::vector<std::byte>(values.size() * 2)};
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = float_to_bf16(values[i]);
    std::memcpy(m.data.data() + i * 2, &half, sizeof half);
  }
  return m;
}

TEST(LinearBf16, SumsHaveTheBitsOfTheirDefinition) {
  Rng rng(41);
  for (const KernelTable* table : tile_levels()) {
    for (const int64_t rows : {1, 15, 16, 17, 40, 70}) {
      for (const int64_t cols : {1, 2, 31, 32, 33, 63, 64, 300}) {
        const SourceMatrix source = random_matrix(rng, DType::kBF16, rows, cols);
        const auto num_tokens = static_cast<int64_t>(1 + rng.below(40));
        const auto x = random_activations(rng, num_tokens, cols);
        const auto out = product(*table, source, x, num_tokens);
        const int64_t width = padded_rows(*table, rows);
        for (int64_t i = 0; i < num_tokens * width; ++i) {
          const int64_t row = i % width;
          const float expected = row < rows ? defined_sum(source, row, &x[i / width * cols]) : 0.0F;
          ASSERT_EQ(bits(out[static_cast<size_t>(i)]), bits(expected))
              << rows << "x" << cols << ", token " << i / width << " of " << num_tokens << ", row " << row;
        }
      }
    }
  }
}

// 273 tokens are two pieces, 34 groups of rows too; 545 columns are two panels of 256 tokens, one of 17. A
// token of NaN shows who reads past its row.
TEST(LinearBf16, PiecesAndPanelsDoNotShow) {
  Rng rng(42);
  constexpr int64_t kRows = 34 * 16 - 3, kCols = 545, kTokens = 273;
  for (const KernelTable* table : tile_levels()) {
    const SourceMatrix source = random_matrix(rng, DType::kBF16, kRows, kCols);
    auto x = random_activations(rng, kTokens, kCols);
    std::fill_n(x.begin() + 101 * kCols, kCols, kNan);
    const auto all = product(*table, source, x, kTokens);
    const int64_t width = padded_rows(*table, kRows);
    for (const int64_t token : {0, 15, 16, 100, 102, 255, 256, 272}) {
      for (const int64_t row : {0, 31, 32, 511, 512, 540}) {
        ASSERT_EQ(bits(all[static_cast<size_t>(token * width + row)]),
                  bits(defined_sum(source, row, &x[token * kCols])))
            << "token " << token << ", row " << row;
      }
    }
    const std::vector<float> last(x.end() - 17 * kCols, x.end());
    const std::vector<float> expected(all.end() - 17 * width, all.end());
    EXPECT_TRUE(same_bits(product(*table, source, last, 17), expected));
  }
}

TEST(LinearBf16, EveryNumberOfTokensGivesTheSameBits) {
  Rng rng(43);
  constexpr int64_t kRows = 45, kCols = 97;
  for (const KernelTable* table : tile_levels()) {
    const SourceMatrix source = random_matrix(rng, DType::kBF16, kRows, kCols);
    const auto x = random_activations(rng, 40, kCols);
    const auto all = product(*table, source, x, 40);
    const int64_t width = padded_rows(*table, kRows);
    for (int64_t num_tokens = 1; num_tokens <= 40; ++num_tokens) {
      const std::vector<float> some(x.end() - num_tokens * kCols, x.end());
      const std::vector<float> expected(all.end() - num_tokens * width, all.end());
      ASSERT_TRUE(same_bits(product(*table, source, some, num_tokens), expected))
          << num_tokens << " tokens";
    }
  }
}

// Tokens lie further apart than they are wide, and so do the rows of the output.
TEST(LinearBf16, StridesAreKept) {
  Rng rng(44);
  for (const KernelTable* table : tile_levels()) {
    const SourceMatrix source = random_matrix(rng, DType::kBF16, 20, 40);
    const Packed packed(*table, source);
    const auto x = random_activations(rng, 3, 47);
    std::vector<float> out(3 * 50, -77.0F);
    AlignedBytes scratch(table->scratch_bytes(40));
    const ExecContext context{0, scratch.data(), table->scratch_bytes(40)};
    const auto linear =
        table->linear[static_cast<int>(DType::kBF16)][static_cast<int>(ActivationFormat::kF32)];
    linear(context,
           {reinterpret_cast<const std::byte*>(x.data()), ActivationFormat::kF32, packed.matrix(),
            out.data(), 50, 3, Epilogue::kStore, 47},
           0, 2);
    for (int64_t i = 0; i < 3 * 50; ++i) {
      const int64_t row = i % 50;
      const float expected = row < 20   ? defined_sum(source, row, &x[i / 50 * 47])
                             : row < 32 ? 0.0F
                                        : -77.0F;
      ASSERT_EQ(bits(out[static_cast<size_t>(i)]), bits(expected)) << i;
    }
  }
}

TEST(LinearBf16, ActivationsRoundToTheNearestTiesToEven) {
  const std::vector<float> x = {1.0F,          -1.0F,      0x1.01p0F,       0x1.03p0F,    0x1.010002p0F,
                                0x1.02fffep0F, -0x1.fdp5F, 0x1.fep127F,     -0x1.fep127F, 0x1p-126F,
                                3.14159274F,   -0.0F,      0x1.fffffep127F, 0x1p-130F,    -0x1p-149F,
                                kInfinity,     -kInfinity};
  for (const KernelTable* table : tile_levels()) {
    const auto out = product(*table, matrix_of(1, 1, {1.0F}), x, std::ssize(x));
    const int64_t width = std::ssize(out) / std::ssize(x);
    for (size_t i = 0; i < x.size(); ++i)
      EXPECT_EQ(out[i * static_cast<size_t>(width)], flush(round_to_bf16(x[i]))) << x[i];
  }
}

TEST(LinearBf16, SubnormalsCountAsZero) {
  for (const KernelTable* table : tile_levels()) {
    const SourceMatrix tiny = matrix_of(1, 2, {0x1p-130F, 0x1p-70F});
    EXPECT_EQ(product(*table, tiny, {0x1p20F, 0.0F}, 1)[0], 0.0F) << "a weight";
    EXPECT_EQ(product(*table, tiny, {0.0F, 0x1p-60F}, 1)[0], 0.0F) << "a product";
    EXPECT_EQ(product(*table, tiny, {0.0F, 0x1p-50F}, 1)[0], 0x1p-120F);
  }
}

TEST(LinearBf16, WhatIsNotFiniteStaysInItsTokenAndRow) {
  Rng rng(45);
  constexpr int64_t kRows = 20, kCols = 70;
  const KernelTable& scalar = *kernels_for(Isa::kScalar);
  for (const KernelTable* table : tile_levels()) {
    const int64_t width = padded_rows(*table, kRows), scalar_width = padded_rows(scalar, kRows);
    std::vector<float> weights(kRows * kCols);
    for (float& w : weights) w = static_cast<float>(rng.uniform()) - 0.5F;
    weights[0] = 0.0F;  // meets an infinity: NaN
    for (const int64_t num_tokens : {2, 9, 33}) {
      auto x = random_activations(rng, num_tokens, kCols);
      const SourceMatrix finite = matrix_of(kRows, kCols, weights);
      const auto before = product(*table, finite, x, num_tokens);
      for (const float odd : {kNan, kInfinity, -kInfinity, -kNan}) {
        x[0] = odd;
        const auto out = product(*table, finite, x, num_tokens);
        const auto expected = product(scalar, finite, x, num_tokens);
        for (int64_t r = 0; r < kRows; ++r) {
          const float a = out[static_cast<size_t>(r)], b = expected[static_cast<size_t>(r)];
          EXPECT_TRUE(std::isnan(a) ? std::isnan(b) : a == b) << a << " for " << b << " in row " << r;
        }
        for (int64_t i = width; i < num_tokens * width; ++i)
          ASSERT_EQ(out[static_cast<size_t>(i)], before[static_cast<size_t>(i)]) << "another token";
      }
      x[0] = 0.5F;
      auto odd_weights = weights;
      odd_weights[3 * kCols + 69] = kInfinity;
      odd_weights[17 * kCols] = kNan;
      const SourceMatrix odd = matrix_of(kRows, kCols, odd_weights);
      const auto out = product(*table, odd, x, num_tokens);
      const auto expected = product(scalar, odd, x, num_tokens);
      for (int64_t i = 0; i < num_tokens * kRows; ++i) {
        const float a = out[static_cast<size_t>(i / kRows * width + i % kRows)];
        const float b = expected[static_cast<size_t>(i / kRows * scalar_width + i % kRows)];
        EXPECT_EQ(std::isfinite(a), i % kRows != 3 && i % kRows != 17);
        EXPECT_TRUE(std::isfinite(a) || (std::isnan(a) ? std::isnan(b) : a == b));
      }
    }
  }
}

}  // namespace
}  // namespace quire
