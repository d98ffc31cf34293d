// Packed weights of the levels with matrix tiles; tests/kernels/packing_test.cpp has what holds for all
// levels.
#include "kernels/cpu/tile_packing.h"

#include <gtest/gtest.h>

#include <cstring>

#include "kernels/cpu/packing.h"
#include "tensor/dtype.h"
#include "tests/kernels/linear_fixture.h"

namespace quire {
namespace {

using namespace quire::testing;

constexpr DType kBF16 = DType::kBF16;

// Row r, column k of one element of two bytes: r * 256 + k.
SourceMatrix numbered(int64_t rows, int64_t cols) {
  SourceMatrix m{kBF16, rows, cols, std::vector<std::byte>(static_cast<size_t>(rows * cols * 2))};
  for (int64_t i = 0; i < rows * cols; ++i) {
    const auto number = static_cast<uint16_t>(i / cols * 256 + i % cols);
    std::memcpy(m.data.data() + i * 2, &number, sizeof number);
  }
  return m;
}

uint16_t half_at(const AlignedBytes& bytes, int64_t offset) {
  uint16_t half;
  std::memcpy(&half, bytes.data() + offset, sizeof half);
  return half;
}

TEST(TilePacking, TilesOfPairsWithZerosPastTheEnd) {
  const SourceMatrix source = numbered(18, 35);
  const int64_t size = tile_packed_bytes(kBF16, 18, 35);
  ASSERT_EQ(size, 2 * 2 * 1024);  // two groups of two tiles
  AlignedBytes packed(size);
  tile_pack({kBF16, source.data.data(), 18, 35, packed.data(), 0, 1}, 0, 2);
  // A tile: 16 lines of 64 bytes, each a pair of k of 16 rows.
  EXPECT_EQ(half_at(packed, 0), 0);
  EXPECT_EQ(half_at(packed, 2), 1);
  EXPECT_EQ(half_at(packed, 4), 256);
  EXPECT_EQ(half_at(packed, 64), 2);
  EXPECT_EQ(half_at(packed, 5 * 64 + 7 * 4 + 2), 7 * 256 + 11);
  EXPECT_EQ(half_at(packed, 1024 + 64 + 15 * 4), 15 * 256 + 34);
  EXPECT_EQ(half_at(packed, 1024 + 64 + 15 * 4 + 2), 0) << "column 35";
  EXPECT_EQ(half_at(packed, 2048 + 1 * 4), 17 * 256);
  int64_t set = 0;
  for (int64_t i = 0; i < size; i += 2) set += half_at(packed, i) != 0 ? 1 : 0;
  EXPECT_EQ(set, 18 * 35 - 1) << "all but the number 0, and nothing else";
}

TEST(TilePacking, EmbedReadsBackAnyWidth) {
  Rng rng(31);
  for (const int64_t cols : {1, 2, 7, 31, 32, 33, 300}) {
    const SourceMatrix source = random_matrix(rng, kBF16, 21, cols);
    AlignedBytes packed(tile_packed_bytes(kBF16, 21, cols));
    tile_pack({kBF16, source.data.data(), 21, cols, packed.data(), 0, 1}, 0, 2);
    const std::vector<int32_t> ids = {20, 0, 15, 16};
    std::vector<float> out(ids.size() * static_cast<size_t>(cols));
    const EmbedArgs args{{packed.data(), 21, cols, kBF16}, ids.data(), out.data(), 4, cols};
    tile_embed({0, nullptr, 0}, args, 0, 4);
    for (int64_t i = 0; i < 4 * cols; ++i) {
      ASSERT_EQ(out[static_cast<size_t>(i)], source.at(ids[static_cast<size_t>(i / cols)], i % cols));
    }
  }
}

TEST(TilePacking, OtherTypesLieAsInGroupsOf16Rows) {
  Rng rng(32);
  for (const DType dtype : kAllTypes) {
    if (dtype == kBF16) continue;
    const SourceMatrix source = random_matrix(rng, dtype, 21, 64);
    const int64_t size = tile_packed_bytes(dtype, 21, 64);
    ASSERT_EQ(size, packed_bytes<16>(dtype, 21, 64));
    AlignedBytes tiles(size), plain(size);
    tile_pack({dtype, source.data.data(), 21, 64, tiles.data(), 0, 1}, 0, 2);
    pack<16>({dtype, source.data.data(), 21, 64, plain.data(), 0, 1}, 0, 2);
    EXPECT_EQ(std::memcmp(tiles.data(), plain.data(), static_cast<size_t>(size)), 0) << to_string(dtype);
  }
}

}  // namespace
}  // namespace quire
