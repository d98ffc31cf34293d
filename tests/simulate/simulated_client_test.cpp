#include "simulate/simulated_client.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TokenDelta delta(int32_t index, TokenId token, FinishReason reason = FinishReason::kNone) {
  TokenDelta made;
  made.index = index;
  made.token = token;
  made.finish_reason = reason;
  return made;
}

TEST(SimulatedClient, TheSameSeedDrawsTheSame) {
  const ClientLimits limits{.max_model_len = 40,
                            .max_num_seqs = 4,
                            .num_blocks = 10,
                            .block_size = 4,
                            .vocab_size = 24,
                            .arrival_window_ns = 1000};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng first(seed), second(seed);
    const ClientPlan one = draw_client(first, limits), two = draw_client(second, limits);
    EXPECT_EQ(one.prompt, two.prompt);
    EXPECT_EQ(one.arrival_ns, two.arrival_ns);
    EXPECT_EQ(one.params.seed, two.params.seed);
    EXPECT_EQ(one.finishes.size(), two.finishes.size());
  }
}

TEST(Transcript, CollectsContinuations) {
  Transcript transcript(2);
  EXPECT_TRUE(transcript.add(delta(0, 5)));
  EXPECT_TRUE(transcript.add(delta(1, 6, FinishReason::kLength)));
  EXPECT_FALSE(transcript.ended());
  EXPECT_TRUE(transcript.add(delta(0, -1, FinishReason::kAborted)));
  EXPECT_TRUE(transcript.ended());
  EXPECT_EQ(transcript.num_tokens(), 2);
}

TEST(Transcript, RefusesWhatBreaksTheRules) {
  Transcript transcript(1);
  EXPECT_FALSE(transcript.add(delta(1, 5))) << "an unknown continuation";
  TokenDelta early;
  early.prompt = {{.position = 2, .token = 0, .logprob = 0, .top = {}}};
  EXPECT_FALSE(transcript.add(early)) << "position 1 is missing";
  EXPECT_TRUE(transcript.add(delta(0, 5)));
  TokenDelta late;
  late.prompt = {{.position = 1, .token = 0, .logprob = 0, .top = {}}};
  EXPECT_FALSE(transcript.add(late)) << "after the first token";
  EXPECT_TRUE(transcript.add(delta(0, 5, FinishReason::kStop)));
  EXPECT_FALSE(transcript.add(delta(0, 5))) << "after the end";
}

}  // namespace
}  // namespace quire
