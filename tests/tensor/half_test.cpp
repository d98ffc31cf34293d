#include "tensor/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/rng.h"

namespace quire {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool same_bits(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

TEST(Half, EveryFp16ValueIsWhatTheCompilersTypeSays) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = fp16_to_float(half);
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(half));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else {
      ASSERT_TRUE(same_bits(value, expected)) << bits;
      ASSERT_EQ(float_to_fp16(value), half);
    }
  }
}

TEST(Half, EveryBf16ValueSurvivesTheWayThereAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = bf16_to_float(half);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_float(float_to_bf16(value))));
    } else {
      ASSERT_EQ(float_to_bf16(value), half);
    }
  }
}

// Floats of every exponent, and the borders between two halves, where ties go to the even one.
TEST(Half, RoundsAsTheCompilersTypeDoes) {
  const auto check = [](float value) {
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    ASSERT_EQ(float_to_fp16(value), expected) << value;
  };
  Rng rng(5);
  for (int i = 0; i < 1'000'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(rng()));
    if (!std::isnan(value)) check(value);
  }
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float low = fp16_to_float(static_cast<uint16_t>(bits));
    const float high = bits + 1 == 0x7c00 ? 65536.0F : fp16_to_float(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;
    for (const float value :
         {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, kInfinity), -middle})
      check(value);
  }
}

TEST(Half, Bf16RoundsToNearestEven) {
  EXPECT_EQ(float_to_bf16(1.0F), 0x3f80);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808000U)), 0x3f80);  // a tie: down to even
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);  // a tie: up to even
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808001U)), 0x3f81);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f80ffffU)), 0x3f81);
  EXPECT_EQ(float_to_bf16(std::numeric_limits<float>::max()), 0x7f80);  // beyond the range: infinity
  EXPECT_EQ(float_to_bf16(-kInfinity), 0xff80);
  EXPECT_EQ(float_to_bf16(-0.0F), 0x8000);
}

TEST(Half, Extremes) {
  EXPECT_EQ(float_to_fp16(65504.0F), 0x7bff);
  EXPECT_EQ(float_to_fp16(65519.996F), 0x7bff);
  EXPECT_EQ(float_to_fp16(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_fp16(1e30F), 0x7c00);
  EXPECT_EQ(float_to_fp16(-kInfinity), 0xfc00);
  EXPECT_EQ(float_to_fp16(0x1.0p-24F), 0x0001);
  EXPECT_EQ(float_to_fp16(0x1.0p-25F), 0x0000);
  EXPECT_EQ(float_to_fp16(0x1.000002p-25F), 0x0001);
  EXPECT_EQ(float_to_fp16(-0.0F), 0x8000);
  EXPECT_TRUE(std::isnan(fp16_to_float(float_to_fp16(NAN))));
  EXPECT_TRUE(std::isnan(
      bf16_to_float(float_to_bf16(std::bit_cast<float>(0x7f800001U)))));  // payload in the low bits
}

}  // namespace
}  // namespace quire
