#include "runtime/rotary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quire {
namespace {

ModelConfig config() {
  ModelConfig config;
  config.rope_dim = 4;
  config.rope_base = 100;
  return config;
}

TEST(Rotary, AnglesFollowTheDefinition) {
  const Rotary rotary(config());
  ASSERT_EQ(rotary.stride(), 4);
  float angles[4];
  rotary.fill(3, angles);
  EXPECT_FLOAT_EQ(angles[0], std::cos(3.0F));
  EXPECT_FLOAT_EQ(angles[1], std::sin(3.0F));
  EXPECT_FLOAT_EQ(angles[2], std::cos(0.3F));  // 100^(-2/4) = 0.1 a position
  EXPECT_FLOAT_EQ(angles[3], std::sin(0.3F));
}

TEST(Rotary, ScaleAndFactorsSlowTheAngles) {
  ModelConfig scaled = config();
  scaled.rope_scale = 0.5;
  scaled.rope_factors = {1, 4};
  float angles[4];
  Rotary(scaled).fill(4, angles);
  EXPECT_FLOAT_EQ(angles[1], std::sin(2.0F));
  EXPECT_FLOAT_EQ(angles[3], std::sin(0.05F));
}

TEST(Rotary, StaysExactAtLargePositions) {
  float angles[4];
  Rotary(config()).fill(1'000'003, angles);
  EXPECT_NEAR(angles[1], std::sin(1'000'003.0), 1e-7);
}

}  // namespace
}  // namespace quire
