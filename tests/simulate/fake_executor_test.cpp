#include "simulate/fake_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace quire {
namespace {

using testing::HasSubstr;

// Four slots, eight blocks of two, at most six tokens a step.
class FakeExecutorTest : public testing::Test {
 protected:
  static RowStart start(SlotId slot, std::vector<TokenId> tokens, uint64_t seed = 1) {
    const auto num_prompt_tokens = static_cast<int32_t>(tokens.size());
    return {.slot = slot,
            .tokens = std::move(tokens),
            .num_prompt_tokens = num_prompt_tokens,
            .seed = seed,
            .sampling = std::make_shared<const SamplingParams>()};
  }

  // Row 0 has a prompt of three tokens in the blocks 0 and 1, and one sampled token.
  void begin() {
    StepInput input;
    input.starts = {start(0, {1, 2, 3})};
    input.work = {{.slot = 0, .first_position = 0, .num_tokens = 3, .new_blocks = 2}};
    input.block_ids = {0, 1};
    input.samples = {{.row = 0, .slot = 0}};
    run(input);
    ASSERT_EQ(executor_.violation(), "");
  }

  const StepOutput& run(const StepInput& input) {
    executor_.submit(input);
    return **executor_.collect();
  }

  void expect_violation(const StepInput& input, const char* what) {
    run(input);
    EXPECT_THAT(executor_.violation(), HasSubstr(what));
  }

  FakeExecutor executor_{{.num_slots = 4, .num_blocks = 8, .block_size = 2, .max_num_batched_tokens = 6}};
};

TEST_F(FakeExecutorTest, TokensDependOnHistoryAndSeedAlone) {
  StepInput input;
  input.starts = {start(0, {1, 2}), start(1, {1, 2}), start(2, {1, 2}, 99)};
  input.work = {{.slot = 0, .num_tokens = 2, .new_blocks = 1},
                {.slot = 1, .num_tokens = 2, .new_blocks = 1},
                {.slot = 2, .num_tokens = 2, .new_blocks = 1}};
  input.block_ids = {5, 6, 7};
  input.samples = {{0, 0}, {1, 1}, {2, 2}};
  const StepOutput& output = run(input);
  EXPECT_EQ(executor_.violation(), "");
  ASSERT_EQ(output.samples.size(), 3u);
  EXPECT_EQ(output.samples[0].token, output.samples[1].token);
  EXPECT_NE(output.samples[0].token, output.samples[2].token);
}

TEST_F(FakeExecutorTest, ARowMayStartBehindWhatIsInTheCache) {
  begin();
  StepInput input;
  input.starts = {start(1, {1, 2, 9})};
  input.work = {{.slot = 1, .first_position = 2, .num_tokens = 1, .new_blocks = 2}};
  input.block_ids = {0, 5};
  run(input);
  EXPECT_EQ(executor_.violation(), "");
  input.starts = {start(2, {1, 7, 9})};
  input.work[0].slot = 2;
  input.block_ids = {0, 6};
  expect_violation(input, "slot 2 reads another history at position 1");
}

TEST_F(FakeExecutorTest, BlocksThatMergeHoldTheSame) {
  begin();
  StepInput input;
  input.starts = {start(1, {1, 2, 3})};
  input.work = {{.slot = 1, .first_position = 0, .num_tokens = 3, .new_blocks = 2}};
  input.block_ids = {4, 5};
  run(input);
  StepInput edit;
  edit.edits = {{.slot = 1, .index = 0, .block = 0}};
  edit.starts = {start(2, {8})};
  edit.work = {{.slot = 2, .first_position = 0, .num_tokens = 1, .new_blocks = 1}};
  edit.block_ids = {4};  // free again
  run(edit);
  EXPECT_EQ(executor_.violation(), "");
  StepInput wrong;
  wrong.edits = {{.slot = 1, .index = 0, .block = 4}};
  wrong.work = {{.slot = 2, .first_position = 1, .num_tokens = 1}};
  expect_violation(wrong, "blocks 0 and 4 differ and are merged");
}

TEST_F(FakeExecutorTest, AFailedStepLosesAllRows) {
  begin();
  executor_.fail_next_step();
  StepInput decode;
  decode.work = {{.slot = 0, .first_position = 3, .num_tokens = 1}};
  executor_.submit(decode);
  EXPECT_FALSE(executor_.collect());
  expect_violation(decode, "slot 0, which is not taken");
}

TEST_F(FakeExecutorTest, SeesAWriteIntoASharedBlock) {
  begin();
  StepInput fork;
  fork.starts = {start(1, {1, 2, 3})};
  fork.work = {{.slot = 1, .num_tokens = 3, .new_blocks = 2}};
  fork.block_ids = {2, 3};
  fork.forks = {{.parent = 1, .child = 2, .seed = 7, .num_tokens = 3, .tokens = {}}};
  fork.samples = {{0, 1}, {0, 2}};
  run(fork);
  ASSERT_EQ(executor_.violation(), "");
  // Both children write position 3 of block 3 without a copy.
  StepInput decode;
  decode.work = {{.slot = 1, .first_position = 3, .num_tokens = 1},
                 {.slot = 2, .first_position = 3, .num_tokens = 1}};
  expect_violation(decode, "slot 1 reads another history at position 3");
}

TEST_F(FakeExecutorTest, ACopyOnWriteKeepsThemApart) {
  begin();
  StepInput fork;
  fork.starts = {start(1, {1, 2, 3})};
  fork.work = {{.slot = 1, .num_tokens = 3, .new_blocks = 2}};
  fork.block_ids = {2, 3};
  fork.forks = {{.parent = 1, .child = 2, .seed = 7, .num_tokens = 3, .tokens = {}}};
  fork.samples = {{0, 1}, {0, 2}};
  run(fork);
  StepInput decode;
  decode.copies = {{.source = 3, .target = 4, .slot = 2, .index = 1}};
  decode.work = {{.slot = 1, .first_position = 3, .num_tokens = 1},
                 {.slot = 2, .first_position = 3, .num_tokens = 1}};
  decode.samples = {{0, 1}, {1, 2}};
  run(decode);
  EXPECT_EQ(executor_.violation(), "");
}

TEST_F(FakeExecutorTest, SeesABlockInUseGivenAway) {
  begin();
  StepInput input;
  input.starts = {start(1, {4})};
  input.work = {{.slot = 1, .num_tokens = 1, .new_blocks = 1}};
  input.block_ids = {1};
  expect_violation(input, "block 1 is new and in use");
}

TEST_F(FakeExecutorTest, SeesAHoleInTheHistory) {
  begin();
  StepInput input;
  input.work = {{.slot = 0, .first_position = 2, .num_tokens = 1}};
  expect_violation(input, "computes 1 tokens from 2, but has 3 of 4");
}

TEST_F(FakeExecutorTest, SeesABlockTakenTooSoon) {
  begin();
  StepInput input;
  input.work = {{.slot = 0, .first_position = 3, .num_tokens = 1, .new_blocks = 1}};
  input.block_ids = {4};
  expect_violation(input, "has 3 blocks for 4 tokens");
}

TEST_F(FakeExecutorTest, SeesASampleFromTheMiddleOfAHistory) {
  StepInput input;
  input.starts = {start(0, {1, 2, 3})};
  input.work = {{.slot = 0, .num_tokens = 2, .new_blocks = 1}};
  input.block_ids = {0};
  input.samples = {{0, 0}};
  expect_violation(input, "slot 0 cannot sample from row 0");
}

TEST_F(FakeExecutorTest, SeesSlotsMisused) {
  begin();
  StepInput taken;
  taken.starts = {start(0, {1})};
  taken.work = {{.slot = 0, .num_tokens = 1}};
  expect_violation(taken, "slot 0 starts and is not free");
}

TEST_F(FakeExecutorTest, SeesAnEndOfNothing) {
  StepInput input;
  input.ends = {3};
  input.starts = {start(0, {1})};
  input.work = {{.slot = 0, .num_tokens = 1, .new_blocks = 1}};
  input.block_ids = {0};
  expect_violation(input, "slot 3 ends and is not taken");
}

TEST_F(FakeExecutorTest, SeesAStepBeyondTheBudget) {
  StepInput input;
  input.starts = {start(0, {1, 2, 3, 4, 5, 6, 7})};
  input.work = {{.slot = 0, .num_tokens = 7, .new_blocks = 4}};
  input.block_ids = {0, 1, 2, 3};
  expect_violation(input, "a step of 7 tokens");
}

TEST_F(FakeExecutorTest, AFailedStepTakesThoseSubmittedAfterItAlong) {
  begin();
  StepInput first, second;
  first.work = {{.slot = 0, .first_position = 3, .num_tokens = 1}};
  first.samples = {{.row = 0, .slot = 0}};
  second.work = {{.slot = 0, .first_position = 4, .num_tokens = 1, .new_blocks = 1}};
  second.block_ids = {2};
  executor_.fail_next_step();
  executor_.submit(first);
  executor_.submit(second);
  EXPECT_EQ(executor_.num_ahead(), 1);
  EXPECT_FALSE(executor_.collect());
  EXPECT_FALSE(executor_.collect());
  EXPECT_EQ(executor_.violation(), "");
  begin();  // the slot is free
}

TEST_F(FakeExecutorTest, AnInputMustStayAsItIsUntilItIsCollected) {
  begin();
  StepInput input;
  input.work = {{.slot = 0, .first_position = 3, .num_tokens = 1}};
  executor_.submit(input);
  input.work[0].first_position = 9;
  ASSERT_TRUE(executor_.collect());
  EXPECT_THAT(executor_.violation(), HasSubstr("computes 1 tokens from 9"));
}

TEST_F(FakeExecutorTest, BeamsBranchAndGetTheirTokens) {
  SamplingParams params;
  params.use_beam_search = true;
  params.n = 2;
  StepInput input;
  input.starts = {start(0, {1, 2})};
  input.starts[0].sampling = std::make_shared<const SamplingParams>(params);
  input.work = {{.slot = 0, .num_tokens = 2, .new_blocks = 1}};
  input.block_ids = {5};
  input.samples = {{0, 0}};
  const auto top = run(input).top;
  ASSERT_EQ(top.size(), 32u) << "the whole vocabulary";
  for (size_t i = 1; i < top.size(); ++i) EXPECT_LE(top[i].logprob, top[i - 1].logprob);

  StepInput grown;
  grown.branches = {{.parent = 0, .child = 1, .seed = 1, .num_tokens = 2, .tokens = {}}};
  grown.tokens = {{.slot = 0, .token = 4}, {.slot = 1, .token = 4}};
  grown.work = {{.slot = 0, .first_position = 2, .num_tokens = 1, .new_blocks = 1},
                {.slot = 1, .first_position = 2, .num_tokens = 1, .new_blocks = 1}};
  grown.block_ids = {6, 7};
  grown.samples = {{0, 0}, {1, 1}};
  const StepOutput& output = run(grown);
  EXPECT_EQ(executor_.violation(), "");
  for (size_t i = 0; i < 32; ++i) EXPECT_EQ(output.top[i].logprob, output.top[32 + i].logprob);
}

TEST_F(FakeExecutorTest, SeesATokenForARowThatSamplesItsOwn) {
  begin();
  StepInput input;
  input.tokens = {{.slot = 0, .token = 4}};
  input.work = {{.slot = 0, .first_position = 3, .num_tokens = 1}};
  expect_violation(input, "a token for slot 0, which is no beam");
}

}  // namespace
}  // namespace quire
