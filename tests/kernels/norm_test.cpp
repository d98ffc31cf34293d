// RMS norm and the quantizer: the definition, the same bits on every level, and each token's bytes its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/kernel_table.h"
#include "tests/kernels/linear_fixture.h"

namespace quire {
namespace {

using namespace quire::testing;

constexpr float kEpsilon = 1e-5F;

// x and the norm's weight; rows of x are `stride` apart.
struct NormInput {
  NormInput(Rng& rng, int64_t num_tokens, int64_t width, int64_t stride)
      : num_tokens(num_tokens),
        width(width),
        stride(stride),
        x(random_activations(rng, num_tokens, stride)),
        weight(random_activations(rng, 1, width)) {}
  int64_t num_tokens;
  int64_t width;
  int64_t stride;
  std::vector<float> x;
  std::vector<float> weight;
};

std::vector<float> norm_f32(const KernelTable& table, const NormInput& in, int64_t out_stride) {
  std::vector<float> out(static_cast<size_t>(in.num_tokens * out_stride), -77.0F);
  const NormArgs args{in.x.data(),
                      in.stride,
                      in.weight.data(),
                      kEpsilon,
                      in.width,
                      in.num_tokens,
                      reinterpret_cast<std::byte*>(out.data()),
                      ActivationFormat::kF32,
                      out_stride};
  table.rms_norm({}, args, 0, in.num_tokens);
  return out;
}

using Bytes = std::vector<std::byte>;

Bytes norm_int8(const KernelTable& table, const NormInput& in) {
  Bytes out(static_cast<size_t>(table.activation_bytes(ActivationFormat::kInt8, in.num_tokens, in.width)));
  const NormArgs args{in.x.data(),   in.stride,  in.weight.data(),        kEpsilon, in.width,
                      in.num_tokens, out.data(), ActivationFormat::kInt8, 0};
  table.rms_norm({}, args, 0, in.num_tokens);
  return out;
}

Bytes quantized(const KernelTable& table, const std::vector<float>& x, int64_t stride, int64_t width,
                int64_t num_tokens) {
  Bytes out(static_cast<size_t>(table.activation_bytes(ActivationFormat::kInt8, num_tokens, width)));
  table.quantize({}, {x.data(), stride, width, num_tokens, out.data(), 0, width}, 0, num_tokens);
  return out;
}

TEST(Norm, FollowsTheDefinition) {
  Rng rng(31);
  const KernelTable& scalar = *kernels_for(Isa::kScalar);
  for (int64_t width : {1, 5, 32, 33, 576, 1537}) {
    const NormInput in(rng, 3, width, width + 3);
    const auto out = norm_f32(scalar, in, width + 1);
    for (int64_t t = 0; t < 3; ++t) {
      const float* x = in.x.data() + t * in.stride;
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) squares += static_cast<double>(x[i]) * x[i];
      const double scale = 1.0 / std::sqrt(squares / static_cast<double>(width) + kEpsilon);
      for (int64_t i = 0; i < width; ++i) {
        const double expected = x[i] * scale * in.weight[static_cast<size_t>(i)];
        ASSERT_NEAR(out[static_cast<size_t>(t * (width + 1) + i)], expected,
                    1e-6 * std::fabs(expected) + 1e-12);
      }
      EXPECT_EQ(out[static_cast<size_t>(t * (width + 1) + width)], -77.0F);
    }
  }
}

TEST(Norm, LevelsGiveTheSameBits) {
  Rng rng(32);
  for (int64_t width : {1, 31, 32, 40, 576, 1536, 1537}) {
    const NormInput in(rng, 4, width, width + 7);
    const auto expected = norm_f32(*kernels_for(Isa::kScalar), in, width);
    for (const KernelTable* table : tables()) {
      const auto out = norm_f32(*table, in, width);
      EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0)
          << to_string(table->isa) << " width " << width;
    }
  }
}

TEST(Norm, Int8IsF32ThenQuantize) {
  Rng rng(33);
  for (const KernelTable* table : tables()) {
    for (int64_t num_tokens : {1, 2, 3, 4, 5, 8, 11, 16, 17, 35}) {
      const NormInput in(rng, num_tokens, 576, 580);
      EXPECT_EQ(norm_int8(*table, in), quantized(*table, norm_f32(*table, in, 576), 576, 576, num_tokens));
    }
  }
}

TEST(Norm, QuantizingColumnsPieceByPieceGivesTheSameBytes) {
  Rng rng(36);
  constexpr int64_t kWidth = 192;
  for (const KernelTable* table : tables()) {
    for (int64_t num_tokens : {1, 3, 4, 9}) {
      const NormInput in(rng, num_tokens, kWidth, kWidth);
      const auto expected = quantized(*table, in.x, kWidth, kWidth, num_tokens);
      Bytes pieces(expected.size());
      for (const auto& [begin, end] : {std::pair{64, 160}, {0, 32}, {32, 64}, {160, 192}}) {
        table->quantize({}, {in.x.data(), kWidth, kWidth, num_tokens, pieces.data(), begin, end}, 0,
                        num_tokens);
      }
      EXPECT_EQ(pieces, expected) << to_string(table->isa) << ", " << num_tokens << " tokens";
    }
  }
}

TEST(Norm, ATokenAloneGivesTheSameBits) {
  Rng rng(34);
  for (const KernelTable* table : tables()) {
    const NormInput in(rng, 9, 576, 576);
    const auto all = norm_f32(*table, in, 576);
    for (int64_t t = 0; t < 9; ++t) {
      NormInput one = in;
      one.num_tokens = 1;
      one.x.assign(in.x.begin() + t * 576, in.x.begin() + (t + 1) * 576);
      const auto alone = norm_f32(*table, one, 576);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + t * 576));
    }
  }
}

// Threads quantize tokens of one tile at the same time: each token must write its own bytes, all of them,
// only them.
TEST(Quantize, EachTokenWritesItsOwnBytes) {
  Rng rng(35);
  constexpr int64_t kWidth = 96;
  for (const KernelTable* table : tables()) {
    for (int64_t num_tokens : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 18, 19, 20, 33}) {
      const auto x = random_activations(rng, num_tokens, kWidth);
      const Bytes whole = quantized(*table, x, kWidth, kWidth, num_tokens);
      std::vector<int> writers(whole.size(), 0);
      for (int64_t t = 0; t < num_tokens; ++t) {
        for (std::byte background : {std::byte{0x00}, std::byte{0xff}}) {
          Bytes out(whole.size(), background);
          table->quantize({}, {x.data(), kWidth, kWidth, num_tokens, out.data(), 0, kWidth}, t, t + 1);
          for (size_t i = 0; i < out.size(); ++i) {
            if (out[i] == background) continue;
            ASSERT_EQ(out[i], whole[i]);
            writers[i] |= background == std::byte{0} ? 1 << (t % 8) : 0;
          }
        }
      }
      // Bytes that are zero by value have no visible writer; the scales of random tokens never are.
      Bytes assembled(whole.size(), std::byte{0xa5});
      for (int64_t t = num_tokens - 1; t >= 0; --t) {
        table->quantize({}, {x.data(), kWidth, kWidth, num_tokens, assembled.data(), 0, kWidth}, t, t + 1);
      }
      EXPECT_EQ(assembled, whole);
      for (int w : writers) EXPECT_EQ(w & (w - 1), 0) << "a byte of two tokens, M=" << num_tokens;
    }
  }
}

// Through a unit matrix a linear shows each quant times its scale.
TEST(Quantize, RoundsToTheNearestOf255Levels) {
  constexpr int64_t kWidth = 64;
  SourceMatrix unit{DType::kQ8_0, kWidth, kWidth,
                    std::vector<std::byte>(kWidth * row_bytes(DType::kQ8_0, kWidth))};
  for (int64_t r = 0; r < kWidth; ++r) {
    for (int64_t b = 0; b < kWidth / kQuantBlock; ++b) {
      std::byte* block =
          unit.data.data() + r * row_bytes(DType::kQ8_0, kWidth) + b * block_bytes(DType::kQ8_0);
      block[1] = std::byte{0x3c};  // 1.0
      if (r / kQuantBlock == b) block[2 + r % kQuantBlock] = std::byte{1};
    }
  }
  Rng rng(36);
  for (const KernelTable* table : tables()) {
    const Packed packed(*table, unit);
    for (int64_t num_tokens : {1, 4, 6}) {
      auto x = random_activations(rng, num_tokens, kWidth);
      for (int64_t i = 0; i < 32; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i) + 0.5F;  // ties
      x[31] = -127.0F;                                                                            // scale 1
      const auto out = run_linear(*table, packed.matrix(), x, {.num_tokens = num_tokens});
      for (size_t i = 0; i < x.size(); i += kQuantBlock) {
        float max = 0;
        for (size_t j = i; j < i + kQuantBlock; ++j) max = std::max(max, std::fabs(x[j]));
        const float scale = max / 127.0F;
        for (size_t j = i; j < i + kQuantBlock; ++j) {
          ASSERT_EQ(out[j], std::nearbyint(x[j] * (127.0F / max)) * scale) << "element " << j;
          ASSERT_LE(std::fabs(out[j] - x[j]), scale * 0.5001F);
        }
      }
    }
  }
}

}  // namespace
}  // namespace quire
