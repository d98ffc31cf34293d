#include "runtime/row_table.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

RowStart start(SlotId slot, std::vector<TokenId> tokens) {
  const auto prompt = static_cast<int32_t>(tokens.size());
  return {slot, std::move(tokens), prompt, 1, std::make_shared<SamplingParams>()};
}

TEST(RowTable, AppliesAStepInItsOrder) {
  RowTable rows(2, 16);
  StepInput step;
  step.starts.push_back(start(0, {1, 2, 3}));
  step.work.push_back({.slot = 0, .first_position = 0, .num_tokens = 3, .new_blocks = 2});
  step.block_ids = {7, 9};
  rows.begin_step(step);
  EXPECT_EQ(rows.row(0).tokens, (std::vector<TokenId>{1, 2, 3}));
  EXPECT_EQ(rows.row(0).block_ids, (std::vector<BlockId>{7, 9}));

  step.clear();  // the slot ends and starts again in one step, as after a preemption
  step.ends = {0};
  step.starts.push_back(start(0, {4}));
  step.work.push_back({.slot = 0, .first_position = 0, .num_tokens = 1, .new_blocks = 1});
  step.block_ids = {3};
  rows.begin_step(step);
  EXPECT_EQ(rows.row(0).tokens, (std::vector<TokenId>{4}));
  EXPECT_EQ(rows.row(0).block_ids, (std::vector<BlockId>{3}));
}

TEST(RowTable, AnEditNamesTheBlockThatHoldsTheSame) {
  RowTable rows(2, 16);
  StepInput step;
  step.starts.push_back(start(0, {1, 2, 3}));
  step.work.push_back({.slot = 0, .first_position = 0, .num_tokens = 3, .new_blocks = 2});
  step.block_ids = {7, 9};
  rows.begin_step(step);
  step.clear();
  step.edits.push_back({.slot = 0, .index = 0, .block = 4});
  step.branches.push_back({.parent = 0, .child = 1, .seed = 1, .num_tokens = 3, .tokens = {}});
  rows.begin_step(step);
  EXPECT_EQ(rows.row(0).block_ids, (std::vector<BlockId>{4, 9}));
  EXPECT_EQ(rows.row(1).block_ids, (std::vector<BlockId>{4, 9})) << "who branches off sees it";
}

TEST(RowTable, AForkTakesHistoryAndBlocksAndACopyMovesItsEntry) {
  RowTable rows(2, 16);
  StepInput step;
  step.starts.push_back(start(0, {1, 2, 3}));
  step.work.push_back({.slot = 0, .first_position = 0, .num_tokens = 3, .new_blocks = 1});
  step.block_ids = {5};
  step.forks.push_back({.parent = 0, .child = 1, .seed = 42, .num_tokens = 3, .tokens = {8}});
  rows.begin_step(step);
  rows.fork(step.forks);
  EXPECT_EQ(rows.row(1).tokens, (std::vector<TokenId>{1, 2, 3, 8}));
  EXPECT_EQ(rows.row(1).num_prompt_tokens, 3);
  EXPECT_EQ(rows.row(1).seed, 42U);
  EXPECT_EQ(rows.row(1).block_ids, (std::vector<BlockId>{5}));
  step.clear();
  step.copies.push_back({.source = 5, .target = 6, .slot = 1, .index = 0});
  rows.begin_step(step);
  EXPECT_EQ(rows.row(0).block_ids, (std::vector<BlockId>{5}));
  EXPECT_EQ(rows.row(1).block_ids, (std::vector<BlockId>{6}));
}

TEST(RowTable, ABranchTakesARowAsItWasAndTokensFollow) {
  RowTable rows(2, 16);
  StepInput step;
  step.starts = {start(0, {1, 2}), start(1, {9})};
  rows.begin_step(step);
  step.clear();
  step.ends = {1};
  step.branches.push_back({.parent = 0, .child = 1, .seed = 1, .num_tokens = 2, .tokens = {}});
  step.tokens = {{.slot = 0, .token = 5}, {.slot = 1, .token = 6}};
  rows.begin_step(step);
  EXPECT_EQ(rows.row(0).tokens, (std::vector<TokenId>{1, 2, 5}));
  EXPECT_EQ(rows.row(1).tokens, (std::vector<TokenId>{1, 2, 6}));
}

TEST(RowTableDeathTest, RefusesABrokenStep) {
  RowTable rows(1, 16);
  StepInput step;
  step.ends = {0};
  EXPECT_DEATH(rows.begin_step(step), "slot 0 ends twice");
  step.clear();
  step.starts.push_back(start(0, {1}));
  step.starts.push_back(start(0, {1}));
  EXPECT_DEATH(rows.begin_step(step), "slot 0 starts while taken");
}

}  // namespace
}  // namespace quire
