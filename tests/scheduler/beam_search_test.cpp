#include "scheduler/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include "base/rng.h"
#include "tests/scheduler/naive_beam_search.h"

namespace quire {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::FloatEq;
using testing::SizeIs;

constexpr TokenId kEos = 0;

using Model = std::function<std::vector<TokenLogprob>(const std::vector<TokenId>& history)>;

// A search run to its end by hand, as the scheduler does it; `restarts` preempts it before every choice.
std::vector<BeamHypothesis> search(const SamplingParams& params, const Model& model,
                                   bool restarts = false) {
  SequenceGroup group({.id = 1, .first_sequence = 1, .seed = 1, .arrival_ns = 0}, {7},
                      std::make_shared<const SamplingParams>(params));
  BeamSearch search(params);
  BeamChoice choice;
  std::vector<int32_t> live = {0};
  for (;;) {
    if (restarts) {
      search.restart(group);
      for (size_t i = 0; i < live.size(); ++i) live[i] = static_cast<int32_t>(i);
    }
    bool due = false;
    for (const int32_t index : live) {
      EXPECT_FALSE(due);
      std::vector<TokenId> history = group.prompt();
      const auto& output = group.sequences()[static_cast<size_t>(index)].output;
      history.insert(history.end(), output.begin(), output.end());
      due = search.take(index, model(history));
    }
    EXPECT_TRUE(due);
    if (!search.choose(group, choice)) return search.take_best(params.n);
    for (const int32_t index : choice.dead) group.sequences()[static_cast<size_t>(index)].output.clear();
    for (const auto& [parent, child] : choice.branches) {
      auto& output = group.sequences()[static_cast<size_t>(child)].output;
      EXPECT_TRUE(output.empty()) << "a branch takes a free place";
      output = group.sequences()[static_cast<size_t>(parent)].output;
    }
    live.clear();
    for (const auto& [index, token] : choice.growths) {
      group.sequences()[static_cast<size_t>(index)].output.push_back(token);
      live.push_back(index);
    }
    EXPECT_THAT(live, SizeIs(static_cast<size_t>(search.num_beams())));
  }
}

std::vector<TokenLogprob> sorted(std::vector<TokenLogprob> candidates) {
  std::ranges::stable_sort(candidates, std::ranges::greater(), &TokenLogprob::logprob);
  return candidates;
}

// Tokens 0 (ends), 1, 2 with probabilities that depend on the last token alone.
std::vector<TokenLogprob> chain(const std::vector<TokenId>& history) {
  static const std::map<TokenId, std::vector<double>> kNext = {
      {7, {0.1, 0.5, 0.4}}, {1, {0.2, 0.4, 0.4}}, {2, {0.8, 0.1, 0.1}}};
  std::vector<TokenLogprob> all;
  for (TokenId token = 0; token < 3; ++token) {
    all.push_back(
        {token, static_cast<float>(std::log(kNext.at(history.back())[static_cast<size_t>(token)]))});
  }
  return sorted(all);
}

SamplingParams beams(int32_t width, int32_t max_tokens) {
  SamplingParams params;
  params.n = width;
  params.max_tokens = max_tokens;
  params.use_beam_search = true;
  params.eos_token_ids = {kEos};
  return params;
}

// On paper: the first choice keeps 1 (0.5) and 2 (0.4). Of their children 2-0 (0.32) ends; 1-1 and 1-2 (0.2
// each) live; 1-0 (0.1) comes fourth, behind the first two. Then 1-2-0 (0.16) ends.
TEST(BeamSearch, AsOnPaper) {
  SamplingParams params = beams(2, 10);
  params.length_penalty = 0;
  const auto best = search(params, chain);
  ASSERT_THAT(best, SizeIs(2));
  EXPECT_THAT(best[0].tokens, ElementsAre(2, 0));
  EXPECT_NEAR(best[0].score, std::log(0.32), 1e-6);
  EXPECT_EQ(best[0].finish_reason, FinishReason::kStop);
  EXPECT_THAT(best[0].logprobs, ElementsAre(FloatEq(static_cast<float>(std::log(0.4))),
                                            FloatEq(static_cast<float>(std::log(0.8)))));
  EXPECT_THAT(best[1].tokens, ElementsAre(1, 2, 0));
  EXPECT_NEAR(best[1].score, std::log(0.16), 1e-6);
}

TEST(BeamSearch, TheLengthCountsTheTokenThatEnds) {
  SamplingParams params = beams(2, 10);
  params.length_penalty = 2;
  const auto best = search(params, chain);
  for (const auto& hypothesis : best) {
    double sum = 0;
    for (const float logprob : hypothesis.logprobs) sum += static_cast<double>(logprob);
    const auto length = static_cast<double>(hypothesis.tokens.size());
    EXPECT_THAT(hypothesis.score, DoubleEq(sum / (length * length)));
  }
}

TEST(BeamSearch, LiveBeamsCountAtMaxTokens) {
  SamplingParams params = beams(2, 1);
  const auto best = search(params, chain);
  ASSERT_THAT(best, SizeIs(2));
  EXPECT_THAT(best[0].tokens, ElementsAre(1));
  EXPECT_THAT(best[1].tokens, ElementsAre(2));
  EXPECT_EQ(best[0].finish_reason, FinishReason::kLength);
}

// 2-0 and 1-2-0 are there after three tokens. Each 1 more in front multiplies the probability by 0.4, and
// scores that are divided by the square of the length grow by it.
TEST(BeamSearch, EarlyStoppingSaysHowLongToLook) {
  SamplingParams params = beams(2, 40);
  params.length_penalty = 2;
  params.early_stopping = EarlyStopping::kTrue;
  const auto first = search(params, chain);
  EXPECT_THAT(first[0].tokens, ElementsAre(1, 2, 0));
  params.early_stopping = EarlyStopping::kNever;
  const auto longest = search(params, chain);
  EXPECT_GT(longest[0].tokens.size(), 3u);
  EXPECT_GT(longest[0].score, first[0].score);
  params.length_penalty = 0;
  EXPECT_THAT(search(params, chain)[1].tokens, SizeIs(3)) << "longer ones only lose probability";
}

TEST(BeamSearch, NothingToChooseFromIsNoResult) {
  EXPECT_THAT(search(beams(2, 5), [](const auto&) { return std::vector<TokenLogprob>(); }), SizeIs(0));
}

// Ties are frequent: log-probabilities are multiples of 1/4.
std::vector<TokenLogprob> hashed(uint64_t seed, TokenId vocab_size, const std::vector<TokenId>& history) {
  for (const TokenId token : history) seed = random_bits(seed, static_cast<uint64_t>(token));
  std::vector<TokenLogprob> all;
  for (TokenId token = 0; token < vocab_size; ++token) {
    const uint64_t draw = random_bits(seed, static_cast<uint64_t>(token)) % 24;
    all.push_back({token, -static_cast<float>(draw) / 4});
  }
  return sorted(all);
}

SamplingParams draw_search(Rng& rng) {
  SamplingParams params =
      beams(1 + static_cast<int32_t>(rng.below(6)), 1 + static_cast<int32_t>(rng.below(12)));
  params.best_of = params.n;
  params.n = 1 + static_cast<int32_t>(rng.below(static_cast<uint64_t>(params.n)));
  params.length_penalty = static_cast<double>(rng.below(9)) * 0.5 - 2;
  params.early_stopping = static_cast<EarlyStopping>(rng.below(3));
  if (rng.below(3) == 0) params.stop_token_ids = {1, 2, 3};
  params.ignore_eos = rng.below(4) == 0;
  return params;
}

TEST(BeamSearch, EqualsTheNaiveSearch) {
  Rng rng(1);
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const SamplingParams params = draw_search(rng);
    const auto vocab_size = static_cast<TokenId>(4 + rng.below(20));
    const auto model = [&](const auto& history) { return hashed(seed, vocab_size, history); };
    const auto wanted = naive_beam_search({7}, params, model);
    for (const bool restarts : {false, true}) {
      const auto got = search(params, model, restarts);
      ASSERT_EQ(got.size(), wanted.size()) << "seed " << seed;
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].tokens, wanted[i].tokens) << "seed " << seed;
        ASSERT_EQ(got[i].score, wanted[i].score) << "seed " << seed;
        ASSERT_EQ(got[i].finish_reason == FinishReason::kStop, wanted[i].stopped) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace quire
