#include "request/sequence_group.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

SequenceGroup make_group(SamplingParams params, int32_t num_prompt_tokens = 4) {
  return SequenceGroup({.id = 7, .first_sequence = 100, .seed = 42, .arrival_ns = 5},
                       std::vector<TokenId>(static_cast<size_t>(num_prompt_tokens), 9),
                       std::make_shared<const SamplingParams>(std::move(params)));
}

TEST(SequenceGroup, NamesItsSequencesAndGivesEachItsOwnDraws) {
  SamplingParams params;
  params.n = 3;
  const SequenceGroup group = make_group(params);
  EXPECT_EQ(group.num_unfinished(), 3);
  EXPECT_EQ(group.state(), GroupState::kWaiting);
  EXPECT_EQ(group.times.arrival_ns, 5);
  std::set<uint64_t> seeds;
  for (int32_t i = 0; i < 3; ++i) {
    const Sequence& sequence = group.sequences()[static_cast<size_t>(i)];
    EXPECT_EQ(sequence.id, 100 + i);
    EXPECT_EQ(sequence.index, i);
    seeds.insert(sequence.seed);
  }
  EXPECT_EQ(seeds.size(), 3u);
  EXPECT_EQ(make_group(params).sequences()[1].seed, group.sequences()[1].seed) << "the seed alone decides";
}

TEST(SequenceGroup, EndOfSequenceStopsUnlessIgnored) {
  SamplingParams params;
  params.eos_token_ids = {0, 3};
  SequenceGroup group = make_group(params);
  EXPECT_EQ(group.append_token(group.sequences()[0], 5, 100), FinishReason::kNone);
  EXPECT_EQ(group.append_token(group.sequences()[0], 3, 100), FinishReason::kStop);
  EXPECT_EQ(group.num_tokens(group.sequences()[0]), 6) << "the stopping token is kept";

  params.ignore_eos = true;
  SequenceGroup deaf = make_group(params);
  EXPECT_EQ(deaf.append_token(deaf.sequences()[0], 3, 100), FinishReason::kNone);
}

TEST(SequenceGroup, StopTokensStopEvenWhenEndOfSequenceIsIgnored) {
  SamplingParams params;
  params.ignore_eos = true;
  params.stop_token_ids = {8};
  SequenceGroup group = make_group(params);
  EXPECT_EQ(group.append_token(group.sequences()[0], 8, 100), FinishReason::kStop);
}

TEST(SequenceGroup, NothingStopsBeforeMinTokens) {
  SamplingParams params;
  params.min_tokens = 2;
  params.eos_token_ids = {0};
  SequenceGroup group = make_group(params);
  Sequence& sequence = group.sequences()[0];
  EXPECT_EQ(group.append_token(sequence, 0, 100), FinishReason::kNone);
  EXPECT_EQ(group.append_token(sequence, 0, 100), FinishReason::kNone);
  EXPECT_EQ(group.append_token(sequence, 0, 100), FinishReason::kStop);
}

TEST(SequenceGroup, LengthEndsAtMaxTokensOrWithTheContext) {
  SamplingParams params;
  params.max_tokens = 2;
  SequenceGroup group = make_group(params);
  EXPECT_EQ(group.append_token(group.sequences()[0], 5, 100), FinishReason::kNone);
  EXPECT_EQ(group.append_token(group.sequences()[0], 5, 100), FinishReason::kLength);

  SequenceGroup tight = make_group(params);
  EXPECT_EQ(tight.append_token(tight.sequences()[0], 5, 5), FinishReason::kLength);
}

TEST(SequenceGroup, AStopOnTheLastTokenIsAStop) {
  SamplingParams params;
  params.max_tokens = 1;
  params.eos_token_ids = {0};
  SequenceGroup group = make_group(params);
  EXPECT_EQ(group.append_token(group.sequences()[0], 0, 100), FinishReason::kStop);
}

TEST(SequenceGroup, EndsWithItsLastSequenceAndThatOnesReason) {
  SamplingParams params;
  params.n = 2;
  SequenceGroup group = make_group(params);
  group.set_state(GroupState::kRunning);
  EXPECT_TRUE(group.is_leader(group.sequences()[0]));
  group.finish(group.sequences()[0], FinishReason::kStop);
  EXPECT_TRUE(group.is_leader(group.sequences()[1]));
  EXPECT_EQ(group.num_unfinished(), 1);
  EXPECT_EQ(group.state(), GroupState::kRunning);
  EXPECT_EQ(group.finish_reason(), FinishReason::kNone);
  group.finish(group.sequences()[1], FinishReason::kLength);
  EXPECT_EQ(group.state(), GroupState::kFinished);
  EXPECT_EQ(group.finish_reason(), FinishReason::kLength);
}

TEST(SequenceGroup, CanBePreemptedAndRunAgain) {
  SequenceGroup group = make_group({});
  group.set_state(GroupState::kRunning);
  group.set_state(GroupState::kWaiting);
  group.set_state(GroupState::kRunning);
  EXPECT_EQ(group.state(), GroupState::kRunning);
}

TEST(SequenceGroupDeathTest, AnEndIsFinal) {
  SequenceGroup group = make_group({});
  group.finish(group.sequences()[0], FinishReason::kAborted);
  EXPECT_DEATH(group.set_state(GroupState::kRunning), "cannot go from state");
  EXPECT_DEATH(group.finish(group.sequences()[0], FinishReason::kStop), "");
  EXPECT_DEATH((void)group.leader(), "has ended");
}

}  // namespace
}  // namespace quire
