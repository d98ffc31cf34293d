// Packed weights: what embed() reads back is the source, wherever the groups were put.
#include "kernels/cpu/packing.h"

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

// Rows `ids` of `table` as embed() gives them, rows `stride` floats apart.
std::vector<float> embed_rows(const KernelTable& kernels, const PackedMatrix& table,
                              const std::vector<int32_t>& ids, int64_t stride) {
  AlignedBytes scratch(kernels.scratch_bytes(table.cols));
  const ExecContext context{0, scratch.data(), kernels.scratch_bytes(table.cols)};
  const auto count = static_cast<int64_t>(ids.size());
  std::vector<float> out(static_cast<size_t>(count * stride), -77.0F);
  const EmbedArgs args{table, ids.data(), out.data(), count, stride};
  kernels.embed(context, args, 0, count / 2);
  kernels.embed(context, args, count / 2, count);
  return out;
}

TEST(Packing, EmbedReadsBackTheSource) {
  Rng rng(21);
  const std::vector<int32_t> ids = {0, 36, 7, 8, 15, 16, 35, 7};
  for (const KernelTable* kernels : tables()) {
    for (DType dtype : kAllTypes) {
      for (int64_t cols : {32, 64, 576}) {
        const SourceMatrix source = random_matrix(rng, dtype, 37, cols);
        const Packed packed(*kernels, source);
        const auto out = embed_rows(*kernels, packed.matrix(), ids, cols + 5);
        for (size_t i = 0; i < ids.size(); ++i) {
          for (int64_t k = 0; k < cols + 5; ++k) {
            // d * q + m rounds twice; the other types' values are exact in fp32.
            const double exact = k < cols ? source.at(ids[i], k) : -77.0;
            const double slack = dtype == DType::kQ4_1 ? 2.0 : 0.0;
            ASSERT_NEAR(out[i * static_cast<size_t>(cols + 5) + static_cast<size_t>(k)], exact,
                        slack * 0x1p-24)
                << to_string(dtype) << " row " << ids[i] << " column " << k;
          }
        }
      }
    }
  }
}

TEST(Packing, LevelsReadBackTheSameBits) {
  Rng rng(22);
  for (DType dtype : kAllTypes) {
    const SourceMatrix source = random_matrix(rng, dtype, 20, 96);
    const std::vector<int32_t> ids = {19, 0, 3, 16};
    const KernelTable& scalar = *kernels_for(Isa::kScalar);
    const auto expected = embed_rows(scalar, Packed(scalar, source).matrix(), ids, 96);
    for (const KernelTable* kernels : tables()) {
      const auto out = embed_rows(*kernels, Packed(*kernels, source).matrix(), ids, 96);
      EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0);
    }
  }
}

TEST(Packing, TakesWholeGroups) {
  for (const KernelTable* kernels : tables()) {
    const int64_t group = kernels->row_group;
    for (DType dtype : kAllTypes) {
      const int64_t one = kernels->packed_bytes(dtype, 1, 64);
      EXPECT_EQ(one, group * row_bytes(dtype, 64));
      EXPECT_EQ(kernels->packed_bytes(dtype, group, 64), one);
      EXPECT_EQ(kernels->packed_bytes(dtype, group + 1, 64), 2 * one);
      EXPECT_EQ(kernels->packed_bytes(dtype, 0, 64), 0);
    }
  }
}

TEST(Packing, AnyCutOfGroupsGivesTheSameBytes) {
  Rng rng(23);
  for (const KernelTable* kernels : tables()) {
    for (DType dtype : kAllTypes) {
      const SourceMatrix source = random_matrix(rng, dtype, 75, 64);
      const Packed whole(*kernels, source);
      const int64_t size = kernels->packed_bytes(dtype, 75, 64);
      AlignedBytes pieces(size);
      const PackArgs args{dtype, source.data.data(), 75, 64, pieces.data(), 0, 1};
      const int64_t groups = padded_rows(*kernels, 75) / kernels->row_group;
      for (int64_t g = groups - 1; g >= 0; --g) kernels->pack(args, g, g + 1);
      EXPECT_EQ(std::memcmp(pieces.data(), whole.bytes.data(), static_cast<size_t>(size)), 0);
    }
  }
}

// Two matrices in alternate groups: group 2i is the first one's i, group 2i + 1 the second one's. Parts of
// q, k and v go one after the other the same way, with a first group and a step of 1.
TEST(Packing, AlternateGroupsHoldTwoMatrices) {
  Rng rng(24);
  for (const KernelTable* kernels : tables()) {
    const int64_t rows = 3 * kernels->row_group - 5;  // the last group is partial
    for (DType dtype : kAllTypes) {
      const SourceMatrix a = random_matrix(rng, dtype, rows, 96);
      const SourceMatrix b = random_matrix(rng, dtype, rows, 96);
      const int64_t group_bytes = kernels->packed_bytes(dtype, 1, 96);
      AlignedBytes both(6 * group_bytes);
      kernels->pack({dtype, a.data.data(), rows, 96, both.data(), 0, 2}, 0, 3);
      kernels->pack({dtype, b.data.data(), rows, 96, both.data(), 1, 2}, 0, 3);
      const Packed only_a(*kernels, a);
      const Packed only_b(*kernels, b);
      for (int64_t g = 0; g < 3; ++g) {
        const auto size = static_cast<size_t>(group_bytes);
        EXPECT_EQ(
            std::memcmp(both.data() + 2 * g * group_bytes, only_a.bytes.data() + g * group_bytes, size), 0);
        EXPECT_EQ(std::memcmp(both.data() + (2 * g + 1) * group_bytes,
                              only_b.bytes.data() + g * group_bytes, size),
                  0);
      }
    }
  }
}

TEST(Packing, RowsPastTheEndAreZeros) {
  Rng rng(25);
  for (const KernelTable* kernels : tables()) {
    for (DType dtype : kAllTypes) {
      const Packed packed(*kernels, random_matrix(rng, dtype, 3, 64));
      PackedMatrix whole = packed.matrix();
      whole.rows = kernels->row_group;
      for (int32_t row = 3; row < kernels->row_group; ++row) {
        for (float value : embed_rows(*kernels, whole, {row, row}, 64)) ASSERT_EQ(value, 0.0F);
      }
      const auto x = random_activations(rng, 2, 64);
      const auto out =
          run_linear(*kernels, packed.matrix(), x, {.format = ActivationFormat::kF32, .num_tokens = 2});
      for (int64_t i = 0; i < 2 * kernels->row_group; ++i) {
        if (i % kernels->row_group >= 3) {
          ASSERT_EQ(out[static_cast<size_t>(i)], 0.0F);
        }
      }
    }
  }
}

TEST(Packing, NonFiniteHalvesStayNonFinite) {
  for (const KernelTable* kernels : tables()) {
    const uint16_t halves[] = {0x7c00, 0xfc00, 0x7e01, 0x03ff, 0x8001, 0x7bff};
    const SourceMatrix source{DType::kF16,
                              1,
                              6,
                              {reinterpret_cast<const std::byte*>(halves),
                               reinterpret_cast<const std::byte*>(halves) + sizeof halves}};
    const auto out = embed_rows(*kernels, Packed(*kernels, source).matrix(), {0}, 6);
    EXPECT_EQ(out[0], std::numeric_limits<float>::infinity());
    EXPECT_EQ(out[1], -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(out[2]));
    EXPECT_EQ(out[3], 1023 * 0x1p-24F);
    EXPECT_EQ(out[4], -0x1p-24F);
    EXPECT_EQ(out[5], 65504.0F);
  }
}

}  // namespace
}  // namespace quire
