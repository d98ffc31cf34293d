#include "weights/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "tensor/half.h"

namespace quire {
namespace {

std::vector<std::byte> quantized(DType dtype, const std::vector<float>& values) {
  std::vector<std::byte> out(static_cast<size_t>(row_bytes(dtype, static_cast<int64_t>(values.size()))));
  quantize_row(dtype, values, out);
  return out;
}

std::vector<float> there_and_back(DType dtype, const std::vector<float>& values) {
  std::vector<float> out(values.size());
  dequantize_row(dtype, quantized(dtype, values), out);
  return out;
}

// Blocks of 32 of very different sizes, some with an offset.
std::vector<float> sample(uint64_t seed, size_t count = 1024) {
  Rng rng(seed);
  std::vector<float> values(count);
  float scale = 1, offset = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % 32 == 0) {
      scale = std::exp2(static_cast<float>(rng.below(20)) - 12);
      offset = rng.below(2) == 0 ? 0 : scale * static_cast<float>(rng.uniform() - 0.5);
    }
    values[i] = static_cast<float>(rng.uniform() * 2 - 1) * scale + offset;
  }
  return values;
}

class QuantizeEvery : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(DTypes, QuantizeEvery,
                         testing::Values(DType::kF32, DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1,
                                         DType::kQ8_0),
                         [](const auto& info) { return std::string(to_string(info.param)); });

// The largest error that rounding to the nearest step may make, for the block that holds element i.
float error_bound(DType dtype, const std::vector<float>& values, size_t i) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i / 32 * 32);
  const auto [low, high] = std::minmax_element(begin, begin + 32);
  const float peak = std::max(std::abs(*low), std::abs(*high));
  // Of the scale (which may be subnormal) and the minimum, times the steps.
  const float half_precision = peak * 0x1.0p-10f + 0x1.0p-18f;
  switch (dtype) {
    case DType::kF32: return 0;
    case DType::kF16: return std::abs(values[i]) * 0x1.0p-11f + 0x1.0p-25f;
    case DType::kBF16: return std::abs(values[i]) * 0x1.0p-8f;
    case DType::kQ4_0:
      return peak / 8 + half_precision;  // the end that has no step 8 is off by up to a whole step
    case DType::kQ4_1: return (*high - *low) / 30 * 1.01F + 2 * half_precision;
    case DType::kQ8_0: return peak / 254 + half_precision;
  }
  return 0;
}

TEST_P(QuantizeEvery, ErrorsStayWithinHalfAStep) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto values = sample(seed);
    const auto back = there_and_back(GetParam(), values);
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_LE(std::abs(back[i] - values[i]), error_bound(GetParam(), values, i))
          << values[i] << " became " << back[i];
    }
  }
}

TEST_P(QuantizeEvery, ZerosStayZeros) {
  const std::vector<float> zeros(64, 0.0F);
  EXPECT_EQ(there_and_back(GetParam(), zeros), zeros);
}

TEST_P(QuantizeEvery, NothingForNothing) { EXPECT_TRUE(there_and_back(GetParam(), {}).empty()); }

TEST_P(QuantizeEvery, BlocksDoNotTouchEachOther) {
  auto values = sample(3, 96);
  const auto before = quantized(GetParam(), values);
  for (size_t i = 32; i < 64; ++i) values[i] *= -3;
  const auto after = quantized(GetParam(), values);
  const size_t third = before.size() / 3;
  EXPECT_TRUE(
      std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(third), after.begin()));
  EXPECT_TRUE(std::equal(before.end() - static_cast<std::ptrdiff_t>(third), before.end(),
                         after.end() - static_cast<std::ptrdiff_t>(third)));
}

TEST(Quantize, NibblesLieAsTheFormatSays) {
  std::vector<float> values(32);
  for (size_t i = 0; i < 32; ++i) values[i] = static_cast<float>(i % 16);  // minimum 0, step 1
  const auto row = quantized(DType::kQ4_1, values);
  ASSERT_EQ(row.size(), 20U);
  EXPECT_EQ(row[0], std::byte{0x00});  // 1.0 as fp16, low byte first
  EXPECT_EQ(row[1], std::byte{0x3c});
  EXPECT_EQ(row[2], std::byte{0});
  EXPECT_EQ(row[3], std::byte{0});
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(static_cast<size_t>(row[4 + i]), i << 4 | i);
  EXPECT_EQ(there_and_back(DType::kQ4_1, values), values);
}

TEST(Quantize, Q40HasAStepForItsPeakOfEitherSign) {
  for (const float peak : {8.0F, -8.0F}) {
    std::vector<float> values(32, 0.0F);
    values[5] = peak;
    values[20] = peak / 2;
    values[31] = -peak / 8 * 7;
    EXPECT_EQ(there_and_back(DType::kQ4_0, values), values);
  }
}

TEST(Quantize, Q80IsSymmetric) {
  std::vector<float> values(32, 0.0F);
  for (size_t i = 0; i < 32; ++i) values[i] = static_cast<float>(static_cast<int>(i) * 8 - 121);
  values[0] = -127;
  const auto row = quantized(DType::kQ8_0, values);
  EXPECT_EQ(static_cast<int8_t>(row[2]), -127);
  EXPECT_EQ(there_and_back(DType::kQ8_0, values), values);
}

TEST(Quantize, DequantizesEveryCodeExactly) {
  std::vector<std::byte> row(18);
  const uint16_t scale = float_to_fp16(0.3F);
  std::memcpy(row.data(), &scale, 2);
  for (size_t i = 0; i < 16; ++i) row[2 + i] = static_cast<std::byte>(i << 4 | (15 - i));
  std::vector<float> values(32);
  dequantize_row(DType::kQ4_0, row, values);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(values[static_cast<size_t>(i)], fp16_to_float(scale) * static_cast<float>(15 - i - 8));
    EXPECT_EQ(values[static_cast<size_t>(i + 16)], fp16_to_float(scale) * static_cast<float>(i - 8));
  }
}

}  // namespace
}  // namespace quire
