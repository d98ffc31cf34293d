#include "runtime/step_batch.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(StepBatch, LaysOutRowsWithTheirSlotsAndContexts) {
  ModelConfig config;
  config.rope_dim = 2;
  StepBatch batch(Rotary(config), 8, 16, 4);
  RowTable rows(2, 16);
  StepInput step;
  const auto params = std::make_shared<SamplingParams>();
  step.starts.push_back(
      {.slot = 0, .tokens = std::vector<TokenId>(11, 5), .num_prompt_tokens = 11, .sampling = params});
  step.starts.push_back({.slot = 1, .tokens = {1, 2, 3}, .num_prompt_tokens = 3, .sampling = params});
  step.work.push_back({.slot = 0, .first_position = 10, .num_tokens = 1, .new_blocks = 2});
  step.work.push_back({.slot = 1, .first_position = 0, .num_tokens = 3, .new_blocks = 1});
  step.block_ids = {4, 6, 2};
  rows.begin_step(step);
  batch.build(step.work, rows);
  ASSERT_EQ(batch.num_tokens(), 4);
  EXPECT_EQ(std::vector<TokenId>(batch.token_ids(), batch.token_ids() + 4),
            (std::vector<TokenId>{5, 1, 2, 3}));
  EXPECT_EQ(std::vector<int64_t>(batch.kv_slots(), batch.kv_slots() + 4),
            (std::vector<int64_t>{50, 16, 17, 18}));
  ASSERT_EQ(batch.sequences().size(), 2U);
  EXPECT_EQ(batch.sequences()[0].context, 11);
  EXPECT_EQ(batch.sequences()[1].first_row, 1);
  EXPECT_EQ(batch.sequences()[1].num_rows, 3);
  EXPECT_EQ(batch.sequences()[1].blocks[0], 2);
  EXPECT_FLOAT_EQ(batch.cos_sin()[2 * 2], 0.54030231F) << "position 1 of the second row";
}

TEST(StepBatchDeathTest, RefusesPositionsWithoutTokensOrBlocks) {
  ModelConfig config;
  config.rope_dim = 2;
  StepBatch batch(Rotary(config), 8, 16, 4);
  RowTable rows(1, 16);
  StepInput step;
  step.starts.push_back({.slot = 0,
                         .tokens = {1, 2},
                         .num_prompt_tokens = 2,
                         .sampling = std::make_shared<SamplingParams>()});
  step.work.push_back({.slot = 0, .first_position = 0, .num_tokens = 3, .new_blocks = 1});
  step.block_ids = {0};
  rows.begin_step(step);
  EXPECT_DEATH(batch.build(step.work, rows), "positions 0 to 3 of 2");
}

}  // namespace
}  // namespace quire
