// Linears of every level: against the double-precision definition (scalar), against scalar (the others),
// and the law that a token's result depends neither on its neighbours nor on how the work is cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/kernel_table.h"
#include "tensor/dtype.h"
#include "tests/kernels/linear_fixture.h"

namespace quire {
namespace {

using namespace quire::testing;

constexpr int64_t kBatches[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 64, 100};

struct Shape {
  int64_t rows;
  int64_t cols;
};
constexpr Shape kShapes[] = {{8, 32}, {37, 64}, {24, 96}, {41, 576}, {56, 1536}, {16, 800}};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// What quantize() is specified to give for one block, as real numbers.
void reference_quantize(float* x) {
  float max = 0.0F;
  for (int i = 0; i < kQuantBlock; ++i) max = std::max(max, std::fabs(x[i]));
  const float scale = max / 127.0F;
  const float inverse = max > 0.0F ? 127.0F / max : 0.0F;
  for (int i = 0; i < kQuantBlock; ++i) x[i] = std::nearbyint(x[i] * inverse) * scale;
}

// Checks scalar against sums in double over SourceMatrix::at(); the bound is relative to the sum of
// magnitudes.
void expect_definition(const SourceMatrix& source, std::vector<float> x, int64_t num_tokens,
                       ActivationFormat format) {
  const KernelTable& scalar = *kernels_for(Isa::kScalar);
  const Packed packed(scalar, source);
  const auto out = run_linear(scalar, packed.matrix(), x, {.format = format, .num_tokens = num_tokens});
  if (format == ActivationFormat::kInt8) {
    for (size_t i = 0; i < x.size(); i += kQuantBlock) reference_quantize(x.data() + i);
  }
  const int64_t width = padded_rows(scalar, source.rows);
  for (int64_t t = 0; t < num_tokens; ++t) {
    for (int64_t r = 0; r < width; ++r) {
      double sum = 0;
      double magnitude = 0;
      for (int64_t k = 0; r < source.rows && k < source.cols; ++k) {
        const double product = source.at(r, k) * x[t * source.cols + k];
        sum += product;
        magnitude += std::fabs(product);
      }
      // A minimum and its scale may cancel: their separate magnitudes are up to 16 times the weight's.
      ASSERT_NEAR(out[t * width + r], sum, 3e-6 * magnitude + 1e-30)
          << to_string(source.dtype) << " " << source.rows << "x" << source.cols << " token " << t
          << " row " << r;
    }
  }
}

TEST(Linear, ScalarFollowsTheDefinition) {
  Rng rng(1);
  for (DType dtype : kAllTypes) {
    for (const Shape& shape : {Shape{37, 64}, Shape{24, 576}, Shape{8, 32}}) {
      const SourceMatrix source = random_matrix(rng, dtype, shape.rows, shape.cols);
      const auto x = random_activations(rng, 5, shape.cols);
      expect_definition(source, x, 5, ActivationFormat::kF32);
      if (is_quantized(dtype)) expect_definition(source, x, 5, ActivationFormat::kInt8);
    }
  }
}

TEST(Linear, PlainWeightsTakeAnyWidth) {
  Rng rng(2);
  for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (int64_t cols : {1, 7, 33, 257, 300}) {
      const SourceMatrix source = random_matrix(rng, dtype, 19, cols);
      const auto x = random_activations(rng, 3, cols);
      expect_definition(source, x, 3, ActivationFormat::kF32);
      for (const KernelTable* table : tables()) {
        const Packed packed(*table, source);
        const LinearRun run{.format = ActivationFormat::kF32, .num_tokens = 3};
        const auto out = run_linear(*table, packed.matrix(), x, run);
        const int64_t width = padded_rows(*table, source.rows);
        for (int64_t i = 0; i < 3 * 19; ++i) {
          double sum = 0;
          for (int64_t k = 0; k < cols; ++k) sum += source.at(i % 19, k) * x[i / 19 * cols + k];
          double error = 1e-5 * static_cast<double>(cols);
          if (rounds_activations(*table, dtype))
            error = kRoundedError * sum_of_magnitudes(source, i % 19, &x[i / 19 * cols]);
          EXPECT_NEAR(out[i / 19 * width + i % 19], sum, error);
        }
      }
    }
  }
}

// Every level against scalar. int8 activations: the same bits. fp32: FMA against two roundings, so each of
// `cols` additions may differ by half a unit of the running sum; kRoundedError where activations are
// rounded.
void expect_levels_agree(const SourceMatrix& source, const std::vector<float>& x, const LinearRun& run) {
  const KernelTable& scalar = *kernels_for(Isa::kScalar);
  const Packed reference(scalar, source);
  const auto expected = run_linear(scalar, reference.matrix(), x, run);
  const int64_t expected_width = static_cast<int64_t>(expected.size()) / run.num_tokens;
  for (const KernelTable* table : tables()) {
    const Packed packed(*table, source);
    const auto out = run_linear(*table, packed.matrix(), x, run);
    const int64_t width = static_cast<int64_t>(out.size()) / run.num_tokens;
    for (int64_t t = 0; t < run.num_tokens; ++t) {
      for (int64_t r = 0; r < std::min(width, expected_width); ++r) {
        const float a = out[t * width + r];
        const float b = expected[t * expected_width + r];
        if (run.format == ActivationFormat::kInt8) {
          ASSERT_EQ(a, b) << to_string(table->isa) << " " << to_string(source.dtype)
                          << " M=" << run.num_tokens << " K=" << source.cols << " token " << t << " row "
                          << r;
        } else if (rounds_activations(*table, source.dtype)) {
          const double magnitude =
              r < source.rows ? sum_of_magnitudes(source, r, &x[t * source.cols]) : 0.0;
          ASSERT_NEAR(a, b, kRoundedError * magnitude);
        } else {
          ASSERT_NEAR(a, b, 2e-6 * static_cast<double>(source.cols)) << to_string(table->isa);
        }
      }
    }
  }
}

TEST(Linear, LevelsAgree) {
  Rng rng(3);
  for (DType dtype : kAllTypes) {
    for (const Shape& shape : kShapes) {
      const SourceMatrix source = random_matrix(rng, dtype, shape.rows, shape.cols);
      for (int64_t num_tokens : kBatches) {
        const auto x = random_activations(rng, num_tokens, shape.cols);
        LinearRun run{.format = ActivationFormat::kF32, .num_tokens = num_tokens};
        if (num_tokens < 18) expect_levels_agree(source, x, run);
        run.format = ActivationFormat::kInt8;
        if (is_quantized(dtype)) expect_levels_agree(source, x, run);
      }
    }
  }
}

TEST(Linear, LevelsAgreeOnExtremeQuants) {
  Rng rng(4);
  for (DType dtype : kQuantTypes) {
    const SourceMatrix source = random_matrix(rng, dtype, 32, 576, Values::kExtreme);
    for (int64_t num_tokens : {1, 4, 8, 33}) {
      auto x = random_activations(rng, num_tokens, 576, Values::kExtreme);
      std::fill_n(x.begin(), 576, -3.0F);  // every quant of this token is -127: the largest sums there are
      expect_levels_agree(source, x, {.num_tokens = num_tokens});
      expect_definition(source, x, num_tokens, ActivationFormat::kInt8);
    }
  }
}

TEST(Linear, ATokenAloneGivesTheSameBits) {
  Rng rng(5);
  for (const KernelTable* table : tables()) {
    for (DType dtype : kAllTypes) {
      for (const Shape& shape : {Shape{40, 576}, Shape{32, 1536}}) {
        const Packed packed(*table, random_matrix(rng, dtype, shape.rows, shape.cols));
        const auto x = random_activations(rng, 100, shape.cols);
        for (ActivationFormat format : {ActivationFormat::kF32, ActivationFormat::kInt8}) {
          if (format == ActivationFormat::kInt8 && !is_quantized(dtype)) continue;
          LinearRun run{.format = format, .num_tokens = 100};
          const auto all = run_linear(*table, packed.matrix(), x, run);
          const int64_t width = static_cast<int64_t>(all.size()) / 100;
          for (int64_t num_tokens : kBatches) {
            // The last `num_tokens` tokens as a batch of their own.
            run.num_tokens = num_tokens;
            const std::vector<float> some(x.end() - num_tokens * shape.cols, x.end());
            const std::vector<float> expected(all.end() - num_tokens * width, all.end());
            ASSERT_TRUE(same_bits(run_linear(*table, packed.matrix(), some, run), expected))
                << to_string(table->isa) << " " << to_string(dtype) << " M=" << num_tokens;
          }
        }
      }
    }
  }
}

TEST(Linear, MoreTokensThanOneBlockOfSums) {
  Rng rng(6);
  for (const KernelTable* table : tables()) {
    for (DType dtype : {DType::kQ4_1, DType::kQ8_0, DType::kF16}) {
      const Packed packed(*table, random_matrix(rng, dtype, 24, 832));
      const auto x = random_activations(rng, 1031, 832);
      const auto format = is_quantized(dtype) ? ActivationFormat::kInt8 : ActivationFormat::kF32;
      LinearRun run{.format = format, .num_tokens = 1031};
      const auto all = run_linear(*table, packed.matrix(), x, run);
      const int64_t width = static_cast<int64_t>(all.size()) / 1031;
      run.num_tokens = 1;
      for (int64_t t : {0, 511, 512, 515, 1023, 1024, 1027, 1030}) {
        const std::vector<float> one(x.begin() + t * 832, x.begin() + (t + 1) * 832);
        const std::vector<float> expected(all.begin() + t * width, all.begin() + (t + 1) * width);
        ASSERT_TRUE(same_bits(run_linear(*table, packed.matrix(), one, run), expected)) << "token " << t;
      }
    }
  }
}

TEST(Linear, AnyCutGivesTheSameBits) {
  Rng rng(7);
  for (const KernelTable* table : tables()) {
    for (DType dtype : kAllTypes) {
      const Packed packed(*table, random_matrix(rng, dtype, 160, 96));
      for (int64_t num_tokens : {1, 6, 40}) {
        const auto x = random_activations(rng, num_tokens, 96);
        for (Epilogue epilogue : {Epilogue::kStore, Epilogue::kSiluMul}) {
          const auto format = is_quantized(dtype) ? ActivationFormat::kInt8 : ActivationFormat::kF32;
          LinearRun run{.format = format, .epilogue = epilogue, .num_tokens = num_tokens};
          const auto whole = run_linear(*table, packed.matrix(), x, run);
          for (const auto& cuts :
               std::vector<std::vector<int64_t>>{{1}, {3}, {1, 2, 3, 4, 5, 6, 7}, {2, 5}}) {
            run.cuts = cuts;
            ASSERT_TRUE(same_bits(run_linear(*table, packed.matrix(), x, run), whole));
          }
        }
      }
    }
  }
}

TEST(Linear, AddIsStoreThenAdd) {
  Rng rng(8);
  for (const KernelTable* table : tables()) {
    for (DType dtype : kAllTypes) {
      for (ActivationFormat format : {ActivationFormat::kF32, ActivationFormat::kInt8}) {
        if (format == ActivationFormat::kInt8 && !is_quantized(dtype)) continue;
        const Packed packed(*table, random_matrix(rng, dtype, 48, 1536));
        for (int64_t num_tokens : {1, 5, 36}) {
          const auto x = random_activations(rng, num_tokens, 1536);
          LinearRun run{.format = format, .num_tokens = num_tokens};
          auto expected = run_linear(*table, packed.matrix(), x, run);
          run.epilogue = Epilogue::kAdd;
          run.initial =
              random_activations(rng, num_tokens, static_cast<int64_t>(expected.size()) / num_tokens);
          for (size_t i = 0; i < expected.size(); ++i) expected[i] += run.initial[i];
          ASSERT_TRUE(same_bits(run_linear(*table, packed.matrix(), x, run), expected)) << to_string(dtype);
        }
      }
    }
  }
}

// gate in even groups, up in odd ones, against two linears and silu_mul.
TEST(Linear, SiluMulIsTheSeparateKernels) {
  Rng rng(9);
  constexpr int64_t kRows = 45;
  constexpr int64_t kCols = 576;
  for (const KernelTable* table : tables()) {
    for (DType dtype : kAllTypes) {
      const SourceMatrix gate = random_matrix(rng, dtype, kRows, kCols);
      const SourceMatrix up = random_matrix(rng, dtype, kRows, kCols);
      const int64_t width = padded_rows(*table, kRows);
      AlignedBytes both(table->packed_bytes(dtype, 2 * width, kCols));
      table->pack({dtype, gate.data.data(), kRows, kCols, both.data(), 0, 2}, 0, width / table->row_group);
      table->pack({dtype, up.data.data(), kRows, kCols, both.data(), 1, 2}, 0, width / table->row_group);
      const auto format = is_quantized(dtype) ? ActivationFormat::kInt8 : ActivationFormat::kF32;
      for (int64_t num_tokens : {1, 3, 4, 30}) {
        const auto x = random_activations(rng, num_tokens, kCols);
        LinearRun run{.format = format, .num_tokens = num_tokens};
        const auto a = run_linear(*table, Packed(*table, gate).matrix(), x, run);
        const auto b = run_linear(*table, Packed(*table, up).matrix(), x, run);
        std::vector<float> expected(a.size());
        AlignedBytes scratch(table->scratch_bytes(width));
        const ExecContext context{0, scratch.data(), table->scratch_bytes(width)};
        table->silu_mul(context,
                        {a.data(), width, b.data(), width, expected.data(), width, width, num_tokens}, 0,
                        num_tokens);
        run.epilogue = Epilogue::kSiluMul;
        const auto fused = run_linear(*table, {both.data(), 2 * width, kCols, dtype}, x, run);
        ASSERT_TRUE(same_bits(fused, expected)) << to_string(table->isa) << " " << to_string(dtype);
      }
    }
  }
}

TEST(Linear, NonFiniteActivationsStayInTheirToken) {
  Rng rng(10);
  constexpr int64_t kCols = 576;
  for (const KernelTable* table : tables()) {
    for (DType dtype : kQuantTypes) {
      const Packed packed(*table, random_matrix(rng, dtype, 32, kCols));
      for (int64_t num_tokens : {2, 4, 9, 40}) {
        auto x = random_activations(rng, num_tokens, kCols);
        const LinearRun run{.num_tokens = num_tokens};
        const auto expected = run_linear(*table, packed.matrix(), x, run);
        x[5] = std::numeric_limits<float>::quiet_NaN();
        x[100] = std::numeric_limits<float>::infinity();
        x[200] = -std::numeric_limits<float>::infinity();
        const auto out = run_linear(*table, packed.matrix(), x, run);
        const auto width = static_cast<std::ptrdiff_t>(out.size()) / num_tokens;
        EXPECT_TRUE(std::isnan(out[0]));
        EXPECT_TRUE(
            same_bits({out.begin() + width, out.end()}, {expected.begin() + width, expected.end()}));
      }
    }
  }
}

TEST(Linear, TinyActivationsCountAsZero) {
  Rng rng(11);
  for (const KernelTable* table : tables()) {
    const Packed packed(*table, random_matrix(rng, DType::kQ4_1, 16, 64));
    for (float tiny : {0.0F, 1e-45F, 1e-40F, 9e-37F}) {
      const auto out = run_linear(*table, packed.matrix(), std::vector<float>(64, tiny), {.num_tokens = 1});
      EXPECT_THAT(out, ::testing::Each(0.0F));
    }
  }
}

}  // namespace
}  // namespace quire
