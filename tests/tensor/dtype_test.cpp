#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

TEST(DType, NamesAreThoseOfTheCommandLine) {
  EXPECT_EQ(to_string(DType::kF32), "f32");
  EXPECT_EQ(to_string(DType::kF16), "f16");
  EXPECT_EQ(to_string(DType::kBF16), "bf16");
  EXPECT_EQ(to_string(DType::kQ4_0), "q4_0");
  EXPECT_EQ(to_string(DType::kQ4_1), "q4_1");
  EXPECT_EQ(to_string(DType::kQ8_0), "q8_0");
}

TEST(DType, EveryTypeIsNamedAndSized) {
  std::set<std::string_view> names;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    names.insert(to_string(dtype));
    EXPECT_GT(block_bytes(dtype), 0);
    EXPECT_EQ(block_elements(dtype), is_quantized(dtype) ? 32 : 1);
    EXPECT_EQ(row_bytes(dtype, 0), 0);
    EXPECT_EQ(row_bytes(dtype, 96), 96 / block_elements(dtype) * block_bytes(dtype));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kNumDTypes));
}

TEST(DType, BlocksHaveTheFormatsSizes) {
  EXPECT_EQ(row_bytes(DType::kF32, 576), 2304);
  EXPECT_EQ(row_bytes(DType::kBF16, 576), 1152);
  EXPECT_EQ(row_bytes(DType::kQ4_0, 576), 18 * 18);
  EXPECT_EQ(row_bytes(DType::kQ4_1, 576), 18 * 20);
  EXPECT_EQ(row_bytes(DType::kQ8_0, 576), 18 * 34);
  static_assert(row_bytes(DType::kQ8_0, 32) == 34);
}

}  // namespace
}  // namespace quire
