#include "sampling/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rng.h"

namespace quire {
namespace {

const KernelTable& kernels() { return *kernels_for(Isa::kScalar); }

std::vector<float> random_logits(uint64_t seed, size_t count, double spread) {
  Rng rng(seed);
  std::vector<float> logits(count);
  for (float& x : logits)
    x = static_cast<float>((rng.uniform() + rng.uniform() + rng.uniform() - 1.5) * spread);
  return logits;
}

// The definition, by sorting everything: temperature, then min-p, top-k and top-p.
std::vector<TokenId> survivors(const std::vector<float>& logits, const SamplingParams& params) {
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater{},
                           [&](TokenId t) { return logits[static_cast<size_t>(t)]; });
  const auto weight = [&](TokenId t) {
    return std::exp((logits[static_cast<size_t>(t)] - logits[static_cast<size_t>(order[0])]) /
                    params.temperature);
  };
  if (params.min_p > 0) std::erase_if(order, [&](TokenId t) { return weight(t) < params.min_p; });
  if (params.top_k > 0 && order.size() > static_cast<size_t>(params.top_k)) {
    order.resize(static_cast<size_t>(params.top_k));
  }
  if (params.top_p >= 1.0) return order;
  const double total = std::transform_reduce(order.begin(), order.end(), 0.0, std::plus{}, weight);
  double mass = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    mass += weight(order[i]);
    if (mass >= params.top_p * total) {
      order.resize(i + 1);
      break;
    }
  }
  return order;
}

struct Filters {
  double temperature;
  int32_t top_k;
  double top_p;
  double min_p;
};

TEST(FilterCandidates, AgreesWithSortingEverything) {
  const std::vector<Filters> cases{
      {1, 40, 1, 0},     {1, 0, 0.9, 0},      {1, 0, 0.9999, 0},  {0.3, 0, 0.5, 0}, {2, 0, 0.999, 0},
      {1, 0, 1, 0.05},   {1, 50, 0.95, 0.02}, {2, 1000, 1, 0},    {1, 1, 1, 0},     {1, 0, 1e-6, 0},
      {1, 0, 0.9, 1e-5}, {1, 5000, 0.7, 0},   {2, 100000, 0.8, 0}};
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const auto logits = random_logits(seed, 3000, seed % 3 == 0 ? 0.5 : seed % 3 == 1 ? 6 : 40);
    for (const Filters& filters : cases) {
      SamplingParams params;
      params.temperature = filters.temperature;
      params.top_k = filters.top_k;
      params.top_p = filters.top_p;
      params.min_p = filters.min_p;
      std::vector<Candidate> found;
      CandidateScratch scratch(logits.size());
      filter_candidates(logits, params, kernels(), scratch, found);
      std::vector<TokenId> ids;
      for (const Candidate& candidate : found) ids.push_back(candidate.token);
      const auto expected = survivors(logits, params);
      // A cut at a rounded sum may fall one token apart.
      ASSERT_LE(std::abs(static_cast<int64_t>(ids.size()) - static_cast<int64_t>(expected.size())), 1)
          << ids.size() << " against " << expected.size() << ", seed " << seed << " T "
          << filters.temperature << " k " << filters.top_k << " p " << filters.top_p;
      const size_t common = std::min(ids.size(), expected.size());
      ASSERT_TRUE(
          std::equal(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(common), expected.begin()));
    }
  }
}

TEST(FilterCandidates, EqualLogitsKeepTheOrderOfTheirIds) {
  std::vector<float> logits(5000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 7 % 5) * 0.1F;
  logits[17] = -0.0F;  // equal to 0
  SamplingParams params;
  params.top_p = 0.999;
  CandidateScratch scratch(logits.size());
  std::vector<Candidate> found;
  filter_candidates(logits, params, kernels(), scratch, found);
  std::vector<TokenId> ids;
  for (const Candidate& candidate : found) ids.push_back(candidate.token);
  ASSERT_GT(ids.size(), 4900u);
  const auto expected = survivors(logits, params);
  EXPECT_TRUE(std::equal(ids.begin(), ids.end() - 1, expected.begin()));
}

TEST(FilterCandidates, AlwaysLeavesAToken) {
  const float inf = std::numeric_limits<float>::infinity();
  SamplingParams params;
  params.top_p = 0.5;
  std::vector<Candidate> found;
  CandidateScratch scratch(3);
  const std::vector<std::vector<float>> rows{{-inf, -inf, 1}, {-inf, -inf}, {0, 0}, {NAN, NAN}};
  for (const auto& row : rows) {
    filter_candidates(row, params, kernels(), scratch, found);
    ASSERT_FALSE(found.empty());
    EXPECT_LT(found[0].token, static_cast<TokenId>(row.size()));
  }
  filter_candidates(rows[0], params, kernels(), scratch, found);
  EXPECT_EQ(found[0].token, 2);
}

TEST(TopLogprobs, AreTheLargestWithLowerIdsFirst) {
  std::vector<TokenLogprob> top;
  top_logprobs(std::vector<float>{1, 3, 3, 2}, 3, 4.0, top);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].token, 1);
  EXPECT_EQ(top[1].token, 2);
  EXPECT_EQ(top[2].token, 3);
  EXPECT_FLOAT_EQ(top[0].logprob, -1);
  top_logprobs(std::vector<float>{1, 2}, 5, 0, top);
  EXPECT_EQ(top.size(), 2U);
  top_logprobs(std::vector<float>{1, 2}, 0, 0, top);
  EXPECT_TRUE(top.empty());
}

}  // namespace
}  // namespace quire
