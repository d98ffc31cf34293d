#include "sampling/token_mask.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace quire {
namespace {

TEST(TokenMask, ForbidsWhatHasNoBit) {
  std::vector<float> logits(70);
  for (size_t id = 0; id < logits.size(); ++id) logits[id] = static_cast<float>(id);
  const std::vector<uint32_t> allowed{0x80000001, 0xffffffff, 0b10};
  std::vector<float> out(70);
  mask_logits(logits, allowed, out);
  for (size_t id = 0; id < out.size(); ++id) {
    const bool may = id == 0 || id == 31 || (id >= 32 && id < 64) || id == 65;
    if (may) {
      EXPECT_EQ(out[id], logits[id]);
    } else {
      EXPECT_EQ(out[id], -std::numeric_limits<float>::infinity()) << id;
    }
  }
  mask_logits(logits, allowed, logits);
  EXPECT_EQ(logits, out) << "in place";
}

TEST(TokenMask, WithoutOneEverythingMayCome) {
  const std::vector<float> logits{1, 2, 3};
  std::vector<float> out(3);
  mask_logits(logits, {}, out);
  EXPECT_EQ(out, logits);
}

TEST(TokenMask, WhatItDoesNotReachIsForbidden) {
  const std::vector<float> logits(100, 1);
  std::vector<float> out(100);
  mask_logits(logits, std::vector<uint32_t>{~uint32_t{0}}, out);
  for (size_t id = 0; id < out.size(); ++id) EXPECT_EQ(std::isinf(out[id]), id >= 32) << id;
}

TEST(TokenMask, ChunksThatAreOfOneKindAreNotCopied) {
  std::vector<float> logits(4 * kLogitChunk + 40, 1);
  std::vector<uint32_t> allowed((logits.size() + 31) / 32, 0);
  for (size_t word = 16; word < 48; ++word) allowed[word] = ~uint32_t{0};  // chunks 1 and 2
  allowed[40] = 0xf;                                                       // of 2 not all
  allowed[64] = ~uint32_t{0};
  allowed[65] = 0xff;  // all of the last chunk, which ends in this word
  std::array<float, kLogitChunk> scratch;
  EXPECT_TRUE(masked_chunk(logits, allowed, 0, scratch).empty());
  EXPECT_EQ(masked_chunk(logits, allowed, 1, scratch).data(), &logits[kLogitChunk]);
  const auto mixed = masked_chunk(logits, allowed, 2, scratch);
  ASSERT_EQ(mixed.size(), kLogitChunk);
  EXPECT_EQ(mixed.data(), scratch.data());
  for (size_t i = 0; i < mixed.size(); ++i) EXPECT_EQ(std::isinf(mixed[i]), i >= 260 && i < 288) << i;
  EXPECT_TRUE(masked_chunk(logits, allowed, 3, scratch).empty());
  const auto last = masked_chunk(logits, allowed, 4, scratch);
  ASSERT_EQ(last.size(), 40U);
  for (const float logit : last) EXPECT_EQ(logit, 1);
  EXPECT_EQ(masked_chunk(logits, {}, 4, scratch).data(), &logits[4 * kLogitChunk]) << "without a mask";
  EXPECT_TRUE(masked_chunk(logits, std::span(allowed).first(20), 2, scratch).empty()) << "beyond the mask";
}

}  // namespace
}  // namespace quire
