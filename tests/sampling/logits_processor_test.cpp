#include "sampling/logits_processor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quire {
namespace {

std::vector<float> apply_all(const SamplingParams& params, const std::vector<TokenId>& tokens,
                             int32_t num_prompt, std::vector<float> logits,
                             std::span<const uint32_t> allowed = {}) {
  const SequenceView sequence{&params, tokens, num_prompt, 0, allowed};
  SeenTokens seen(static_cast<int32_t>(logits.size()));
  for (const auto& processor : logits_processors()) {
    if (processor->active(sequence)) processor->apply(sequence, logits, seen);
  }
  return logits;
}

TEST(LogitsProcessors, AreAllOffByDefault) {
  const SamplingParams params;
  const std::vector<TokenId> tokens{1, 2, 3};
  for (const auto& processor : logits_processors())
    EXPECT_FALSE(processor->active({&params, tokens, 2, 0}));
}

TEST(LogitsProcessors, BiasIsAdded) {
  SamplingParams params;
  params.logit_bias = {{1, 2.5F}, {3, -100.0F}};
  EXPECT_EQ(apply_all(params, {0}, 1, {1, 1, 1, 1}), (std::vector<float>{1, 3.5F, 1, -99}));
}

TEST(LogitsProcessors, MinTokensGivesWayToAGrammarThatAllowsNothingElse) {
  SamplingParams params;
  params.min_tokens = 2;
  params.eos_token_ids = {0};
  const std::vector<uint32_t> only_end{0b1}, more{0b11};
  EXPECT_EQ(apply_all(params, {5}, 1, {1, 1}, only_end)[0], 1);
  EXPECT_TRUE(std::isinf(apply_all(params, {5}, 1, {1, 1}, more)[0]));
}

TEST(LogitsProcessors, MinTokensHidesWhatWouldEndTheSequence) {
  SamplingParams params;
  params.min_tokens = 2;
  params.eos_token_ids = {0};
  params.stop_token_ids = {2};
  auto logits = apply_all(params, {5, 6}, 1, {1, 1, 1, 1});  // one token of output
  EXPECT_TRUE(std::isinf(logits[0]) && std::isinf(logits[2]));
  EXPECT_EQ(logits[1], 1);
  EXPECT_EQ(apply_all(params, {5, 6, 7}, 1, {1, 1, 1, 1}), (std::vector<float>{1, 1, 1, 1}));
  params.ignore_eos = true;
  logits = apply_all(params, {5, 6}, 1, {1, 1, 1, 1});
  EXPECT_EQ(logits[0], 1) << "ignore_eos does not mask EOS";
  EXPECT_TRUE(std::isinf(logits[2]));
}

TEST(LogitsProcessors, RepetitionDividesPositiveAndMultipliesNegativeOnceAToken) {
  SamplingParams params;
  params.repetition_penalty = 2.0;
  // Prompt 0, 0; output 1.
  EXPECT_EQ(apply_all(params, {0, 0, 1}, 2, {4, -4, 4}), (std::vector<float>{2, -8, 4}));
}

TEST(LogitsProcessors, PresenceOnceAndFrequencyForEachOccurrenceInTheOutput) {
  SamplingParams params;
  params.presence_penalty = 0.5;
  params.frequency_penalty = 0.25;
  // Prompt 2; output 0, 0, 1.
  EXPECT_EQ(apply_all(params, {2, 0, 0, 1}, 1, {1, 1, 1}), (std::vector<float>{0, 0.25F, 1}));
}

}  // namespace
}  // namespace quire
