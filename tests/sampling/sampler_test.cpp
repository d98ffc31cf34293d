#include "sampling/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

namespace quire {
namespace {

const KernelTable& scalar_kernels() { return *kernels_for(Isa::kScalar); }

TokenId sample_once(Sampler& sampler, const std::vector<float>& logits, const SamplingParams& params,
                    uint64_t seed, const std::vector<TokenId>& tokens = {0}) {
  SampleResult result;
  sampler.sample(0, logits, {&params, tokens, 1, seed}, result);
  return result.token;
}

TEST(Sampler, GreedyTakesTheFirstMaximum) {
  Sampler sampler(scalar_kernels(), 4, 1);
  SamplingParams params;
  params.temperature = 0;
  EXPECT_EQ(sample_once(sampler, {1, 5, 5, 2}, params, 1), 1);
  params.temperature = 1e-7;  // would overflow a division
  EXPECT_EQ(sample_once(sampler, {1, 5, 5, 2}, params, 1), 1);
}

TEST(Sampler, SaysWhatItsScratchTakes) {
  // By token a logit, two candidates, an index and a stamp; by chunk of 512 a sum and a maximum.
  EXPECT_EQ(Sampler::bytes(1300, 2), 2 * (1300 * (4 + 2 * 16 + 4 + 8) + 3 * (8 + 4)));
  EXPECT_EQ(Sampler::bytes(512, 1), 512 * 48 + 12);
}

TEST(Sampler, LeavesTheLogitsAsTheyWere) {
  Sampler sampler(scalar_kernels(), 4, 1);
  SamplingParams params;
  params.logit_bias = {{2, 50.0F}};
  params.temperature = 0;
  const std::vector<float> logits{1, 5, 4, 2};
  EXPECT_EQ(sample_once(sampler, logits, params, 1), 2);
  EXPECT_EQ(logits, (std::vector<float>{1, 5, 4, 2}));
}

// Chi-squared over many draws, in the plain and in the filtered form, on a vocabulary of several chunks.
TEST(Sampler, DrawsFollowTheDistribution) {
  constexpr size_t kVocab = 1300;
  std::vector<float> logits(kVocab, -30.0F);
  const std::map<size_t, double> probabilities{
      {3, 0.4}, {511, 0.3}, {512, 0.15}, {1100, 0.1}, {1299, 0.05}};
  for (const auto& [token, p] : probabilities) logits[token] = static_cast<float>(std::log(p));
  Sampler sampler(scalar_kernels(), kVocab, 1);
  for (const double top_p : {1.0, 0.99999}) {
    SamplingParams params;
    params.top_p = top_p;
    std::map<TokenId, int> counts;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i)
      ++counts[sample_once(sampler, logits, params, static_cast<uint64_t>(i))];
    double chi_squared = 0;
    for (const auto& [token, p] : probabilities) {
      const double expected = p * kDraws;
      chi_squared += std::pow(counts[static_cast<TokenId>(token)] - expected, 2) / expected;
    }
    EXPECT_LT(chi_squared, 23.5) << "4 degrees of freedom, p = 1e-4";
  }
}

TEST(Sampler, TheDrawDependsOnSeedAndLengthOnly) {
  std::vector<float> logits(100);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7) * 0.3F;
  Sampler sampler(scalar_kernels(), 100, 2);
  const SamplingParams params;
  const std::vector<TokenId> tokens{0, 1, 2, 3};
  SampleResult first, second;
  sampler.sample(0, logits, {&params, tokens, 1, 99}, first);
  sample_once(sampler, logits, params, 5);
  sampler.sample(1, logits, {&params, tokens, 1, 99}, second);
  EXPECT_EQ(first.token, second.token);
  std::map<TokenId, int> by_length, by_seed;
  for (uint64_t i = 0; i < 50; ++i) {
    ++by_seed[sample_once(sampler, logits, params, i)];
    ++by_length[sample_once(sampler, logits, params, 1, std::vector<TokenId>(i + 1, 0))];
  }
  EXPECT_GT(by_seed.size(), 10U);
  EXPECT_GT(by_length.size(), 10U);
}

TEST(Sampler, LogprobsAreOfTheModelsOwnDistribution) {
  Sampler sampler(scalar_kernels(), 3, 1);
  SamplingParams params;
  params.temperature = 0;
  params.logprobs = 2;
  params.logit_bias = {{0, 100.0F}};
  const std::vector<float> logits{0, std::log(2.0F), std::log(5.0F)};
  const std::vector<TokenId> tokens{0};
  SampleResult result;
  sampler.sample(0, logits, {&params, tokens, 1, 0}, result);
  EXPECT_EQ(result.token, 0);
  EXPECT_NEAR(result.logprob, std::log(1.0 / 8), 1e-6);
  ASSERT_EQ(result.top.size(), 2U);
  EXPECT_EQ(result.top[0].token, 2);
  EXPECT_NEAR(result.top[0].logprob, std::log(5.0 / 8), 1e-6);
}

// As a grammar leaves them: of 512 tokens that are summed together it may allow none; here the first, middle
// and last ones.
TEST(Sampler, DrawsFollowTheDistributionBesideChunksWithoutWeight) {
  constexpr size_t kVocab = 2600;
  std::vector<float> logits(kVocab, -std::numeric_limits<float>::infinity());
  const std::map<size_t, double> probabilities{{600, 0.1}, {601, 0.4}, {1700, 0.3}, {1900, 0.2}};
  for (const auto& [token, p] : probabilities) logits[token] = static_cast<float>(std::log(p));
  for (const std::string_view isa : {"scalar", ""}) {
    Sampler sampler(**select_kernels(isa), kVocab, 1);
    for (const int32_t top_k : {0, 3, 50}) {  // plain, cutting the least one off, and more than there are
      SamplingParams params;
      params.top_k = top_k;
      std::map<TokenId, int> counts;
      constexpr int kDraws = 10000;
      for (int i = 0; i < kDraws; ++i)
        ++counts[sample_once(sampler, logits, params, static_cast<uint64_t>(i))];
      double chi_squared = 0;
      for (const auto& [token, p] : probabilities) {
        const double expected = (top_k == 3 ? (token == 600 ? 0 : p / 0.9) : p) * kDraws;
        const double off = counts[static_cast<TokenId>(token)] - expected;
        chi_squared += expected == 0 ? std::abs(off) * 100 : off * off / expected;
      }
      EXPECT_LT(chi_squared, 21.1) << "3 degrees of freedom, p = 1e-4; top_k " << top_k;
    }
  }
}

TEST(Sampler, WhatAGrammarForbidsNothingBringsBack) {
  Sampler sampler(scalar_kernels(), 70, 1);
  const std::vector<float> logits(70, 1);
  const std::vector<uint32_t> allowed{0b101, 0b1};  // and nothing of a third word
  const std::vector<TokenId> tokens{0};
  SamplingParams params;
  params.logit_bias = {{1, 100.0F}};
  for (const double temperature : {0.0, 1.0, 2.0}) {
    for (const int32_t top_k : {0, 20}) {
      params.temperature = temperature;
      params.top_k = top_k;
      std::map<TokenId, int> counts;
      for (uint64_t seed = 0; seed < 100; ++seed) {
        SampleResult result;
        sampler.sample(0, logits, {&params, tokens, 1, seed, allowed}, result);
        ++counts[result.token];
      }
      EXPECT_EQ(counts.size(), temperature == 0 ? 1U : 3U);
      for (const auto& [token, count] : counts)
        EXPECT_TRUE(token == 0 || token == 2 || token == 32) << token;
    }
  }
}

// A mask is the same as logits of -inf, whatever the options and whichever chunks it allows as a whole, in
// part or not at all.
TEST(Sampler, AMaskIsTheSameAsLogitsWithoutWeight) {
  constexpr size_t kVocab = 3000;
  std::mt19937_64 random(7);
  std::vector<float> logits(kVocab), masked(kVocab);
  const std::vector<TokenId> tokens{0};
  Sampler sampler(**select_kernels(""), kVocab, 1);
  for (int round = 0; round < 200; ++round) {
    for (float& logit : logits) logit = std::uniform_real_distribution<float>(-4, 4)(random);
    std::vector<uint32_t> allowed((kVocab + 31) / 32);
    for (size_t word = 0; word < allowed.size(); ++word) {
      const uint64_t kind = (static_cast<uint64_t>(round) + word / 16) % 3;
      allowed[word] = kind == 0 ? 0 : kind == 1 ? ~uint32_t{0} : static_cast<uint32_t>(random());
    }
    allowed.back() &= (uint32_t{1} << kVocab % 32) - 1;
    allowed[20] |= 1;  // something is
    for (size_t id = 0; id < kVocab; ++id) {
      const bool may = (allowed[id / 32] >> id % 32 & 1) != 0;
      masked[id] = may ? logits[id] : -std::numeric_limits<float>::infinity();
    }
    SamplingParams params;
    params.temperature = round % 4 == 0 ? 0 : 1;
    params.top_p = round % 5 == 0 ? 0.9 : 1;
    if (round % 7 == 0) params.logit_bias = {{640, 1.5F}, {641, 2.5F}};
    params.use_beam_search = round % 11 == 0;
    SampleResult by_mask, by_logits;
    const uint64_t seed = random();
    sampler.sample(0, logits, {&params, tokens, 1, seed, allowed}, by_mask);
    sampler.sample(0, masked, {&params, tokens, 1, seed}, by_logits);
    ASSERT_EQ(by_mask.token, by_logits.token) << round;
    ASSERT_EQ(by_mask.top.size(), by_logits.top.size());
    for (size_t i = 0; i < by_mask.top.size(); ++i) ASSERT_EQ(by_mask.top[i].token, by_logits.top[i].token);
  }
}

TEST(Sampler, TokensWithoutWeightAreNeverDrawn) {
  const float inf = std::numeric_limits<float>::infinity();
  Sampler sampler(scalar_kernels(), 4, 1);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const TokenId token = sample_once(sampler, {-inf, 1, -inf, 1}, {}, seed);
    ASSERT_TRUE(token == 1 || token == 3);
  }
}

TEST(Sampler, BeamsGetWhatTheyMayNeed) {
  Sampler sampler(scalar_kernels(), 8, 1);
  SamplingParams params;
  params.use_beam_search = true;
  params.n = 2;
  params.eos_token_ids = {1};
  params.stop_token_ids = {4};
  const std::vector<TokenId> tokens{0};
  SampleResult result;
  const auto find = [&](const std::vector<float>& logits) {
    sampler.sample(0, logits, {&params, tokens, 1, 1}, result);
    EXPECT_EQ(result.token, -1);
    std::vector<TokenId> found;
    for (const TokenLogprob& candidate : result.top) found.push_back(candidate.token);
    return found;
  };
  EXPECT_EQ(find({0, 7, 6, 5, 4, 3, 2, 1}), (std::vector<TokenId>{1, 2, 3}));
  EXPECT_EQ(find({0, 7, 5, 4, 6, 3, 2, 1}), (std::vector<TokenId>{1, 4, 2, 3}));
  EXPECT_EQ(find({0, 5, 7, 4, 6, 3, 2, 1}), (std::vector<TokenId>{2, 4, 3}))
      << "1 stops, but in third place";
  params.min_tokens = 1;
  EXPECT_EQ(find({0, 7, 5, 4, 6, 3, 2, 1}), (std::vector<TokenId>{2, 3})) << "nothing may stop yet";
  // Log-probabilities of what is left.
  EXPECT_NEAR(std::exp(result.top[0].logprob) / std::exp(result.top[1].logprob), std::exp(1.0), 1e-5);
  double mass = 0;
  for (const double logit : {0, 5, 4, 3, 2, 1}) mass += std::exp(logit - 5);
  EXPECT_NEAR(result.top[0].logprob, -std::log(mass), 1e-6);
}

TEST(Sampler, WhatIsRankedIsScored) {
  Sampler sampler(scalar_kernels(), 4, 1);
  SamplingParams params;
  params.temperature = 0;
  params.best_of = 2;
  const std::vector<TokenId> tokens{0};
  SampleResult result;
  sampler.sample(0, std::vector<float>{1, 1, 1, 1}, {&params, tokens, 1, 1}, result);
  EXPECT_NEAR(result.logprob, std::log(0.25), 1e-6);
  EXPECT_TRUE(result.top.empty());
}

}  // namespace
}  // namespace quire
