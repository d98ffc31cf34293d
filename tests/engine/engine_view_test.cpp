// Views of a whole engine that is stepped by hand.
#include "engine/engine_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace quire {
namespace {

using testing::Each;

// Answers every sample with token 5. What is to be swapped in arrives when it is let.
class FivesExecutor final : public Executor {
 public:
  bool lets_arrive = true;

  void submit(const StepInput& input) override {
    output_.clear();
    for (const SwapIn& swap : input.swap_ins) arriving_.push_back(swap.swap_slot);
    if (lets_arrive) output_.swapped_in = std::exchange(arriving_, {});
    for (const SampleWork& sample : input.samples)
      output_.samples.push_back({.slot = sample.slot, .token = 5, .logprob = 0, .num_top = 0});
  }
  Expected<const StepOutput*> collect() override { return &output_; }

 private:
  StepOutput output_;
  std::vector<SwapSlotId> arriving_;
};

class EngineViewTest : public testing::Test {
 protected:
  void build(int32_t num_blocks, int32_t max_num_seqs = 4, int32_t num_swap_slots = 0,
             int32_t max_num_batched_tokens = 64) {
    const LLMEngineOptions options{.num_blocks = num_blocks,
                                   .block_size = 4,
                                   .max_model_len = 4 * num_blocks,
                                   .max_num_seqs = max_num_seqs,
                                   .max_num_batched_tokens = max_num_batched_tokens,
                                   .max_queue = 1000,
                                   .enable_prefix_caching = true,
                                   .num_swap_slots = num_swap_slots,
                                   .preemption_mode = PreemptionMode::kSwap,
                                   .expected_output_tokens = 0};
    auto executor = std::make_unique<FivesExecutor>();
    executor_ = executor.get();
    engine_ = std::make_unique<LLMEngine>(options, std::move(executor), clock_, metrics_);
  }

  std::shared_ptr<RequestStream> submit(int32_t num_prompt_tokens, int32_t max_tokens, int32_t n = 1,
                                        TokenId first_token = 10) {
    SamplingParams params{.n = n, .max_tokens = max_tokens};
    std::vector<TokenId> prompt;
    for (int32_t i = 0; i < num_prompt_tokens; ++i) prompt.push_back(first_token + i);
    return *engine_->submit(std::move(prompt), params);
  }

  const EngineView& look() {
    bool done = false;
    engine_->take_view(view_, [&] { done = true; });
    engine_->step();
    EXPECT_TRUE(done);
    return *view_;
  }

  // Looks, a step each time, until what is seen is it.
  template <typename Wanted>
  void look_until(Wanted wanted) {
    for (int i = 0; i < 1000; ++i) {
      if (wanted(look())) return;
      ASSERT_TRUE(engine_->check());
    }
    FAIL() << "not within 1000 steps";
  }

  static std::vector<BlockId> table_of(const EngineView& view, size_t place) {
    const auto begin = view.table_entries.begin() + view.sequences[place].first_entry;
    return {begin, begin + view.sequences[place].num_entries};
  }

  ManualClock clock_;
  MetricsRegistry metrics_{""};
  std::unique_ptr<LLMEngine> engine_;
  FivesExecutor* executor_ = nullptr;  // the engine's
  std::shared_ptr<EngineView> view_ = std::make_shared<EngineView>();
};

TEST_F(EngineViewTest, OfAnIdleEngineIsEmpty) {
  build(32);
  const EngineView& view = look();
  EXPECT_EQ(view.stats.num_blocks, 32);
  EXPECT_EQ(view.num_touched_blocks, 0);
  EXPECT_TRUE(view.cells.empty());
  EXPECT_TRUE(view.sequences.empty());
  EXPECT_TRUE(view.waiting.empty());
  EXPECT_EQ(view.num_sequences, 0);
}

TEST_F(EngineViewTest, ShowsTablesAndWhatTheyShare) {
  build(32);
  const auto stream = submit(6, 20, 2);
  engine_->step();  // the prompt, then both continuations
  engine_->step();
  const EngineView& view = look();
  ASSERT_EQ(view.sequences.size(), 2U);
  EXPECT_EQ(view.sequences[0].request, view.sequences[1].request);
  EXPECT_EQ(view.sequences[0].phase, SequencePhase::kDecode);
  EXPECT_EQ(view.sequences[0].num_prompt_tokens, 6);
  EXPECT_EQ(view.sequences[0].num_output_tokens, 2);
  // The prompt's first block is full and shared; the second one was copied when both wrote on.
  const auto first = table_of(view, 0), second = table_of(view, 1);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(view.sequences[0].num_blocks, 2);
  EXPECT_EQ(first[0], second[0]);
  EXPECT_NE(first[1], second[1]);
  EXPECT_EQ(view.num_touched_blocks, 3);
  ASSERT_EQ(view.cells.size(), 3U);
  EXPECT_EQ(view.cells[static_cast<size_t>(first[0])].most_holders, 2);
  EXPECT_EQ(view.cells[static_cast<size_t>(first[1])].most_holders, 1);
}

TEST_F(EngineViewTest, WhatARequestLeavesIsKept) {
  build(32);
  const auto stream = submit(9, 2);
  while (engine_->step()) {
  }
  const EngineView& view = look();
  EXPECT_TRUE(view.sequences.empty());
  int32_t held = 0, kept = 0;
  for (const BlockCell& cell : view.cells) {
    held += cell.num_held;
    kept += cell.num_kept;
  }
  EXPECT_EQ(held, 0);
  EXPECT_EQ(kept, 2) << "the full blocks of the prompt";
  EXPECT_EQ(view.stats.num_free_blocks, 32);
}

TEST_F(EngineViewTest, APrefillSaysHowFarItIs) {
  build(100);
  const auto stream = submit(150, 4);  // in chunks of 64
  engine_->step();
  const EngineView& view = look();
  ASSERT_EQ(view.sequences.size(), 1U);
  EXPECT_EQ(view.sequences[0].phase, SequencePhase::kPrefill);
  EXPECT_EQ(view.sequences[0].num_computed, 64);
  EXPECT_EQ(view.sequences[0].first_token_ns, kNotYet);
}

TEST_F(EngineViewTest, ShowsWhoWaits) {
  build(32, 1);
  const auto runs = submit(4, 20);
  engine_->step();
  clock_.advance_ns(1000);
  const auto waits = submit(5, 20, 1, 50);
  engine_->step();
  const EngineView& view = look();
  EXPECT_EQ(view.stats.num_waiting, 1);
  ASSERT_EQ(view.waiting.size(), 1U);
  EXPECT_EQ(view.waiting[0].num_prompt_tokens, 5);
  EXPECT_EQ(view.waiting[0].num_sequences, 1);
  EXPECT_FALSE(view.waiting[0].swapped);
  EXPECT_EQ(view.waiting[0].arrival_ns, 1000);
}

TEST_F(EngineViewTest, ShowsWhatIsSwappedOut) {
  build(10, 4, 16);
  EXPECT_EQ(look().num_touched_swap_slots, 0);
  const auto stays = submit(6, 30);
  const auto leaves = submit(6, 14, 2, 50);
  look_until([](const EngineView& view) { return !view.waiting.empty() && view.waiting[0].swapped; });
  const EngineView& view = *view_;
  ASSERT_EQ(view.waiting.size(), 1U);
  ASSERT_EQ(view.sequences.size(), 1U);
  ASSERT_EQ(view.swapped.size(), 2U);
  std::set<SwapSlotId> slots;
  for (size_t i = 0; i < 2; ++i) {
    const ViewedSwappedTable& table = view.swapped[i];
    EXPECT_EQ(table.request, view.waiting[0].request);
    EXPECT_EQ(table.index, static_cast<int32_t>(i));
    EXPECT_EQ(table.num_slots, 4);
    ASSERT_EQ(table.num_entries, 4);
    const auto begin = view.swap_entries.begin() + table.first_entry;
    slots.insert(begin, begin + 4);
  }
  EXPECT_LT(slots.size(), 8U) << "the prompt's block is kept once";
  ASSERT_EQ(view.swap_cells.size(), static_cast<size_t>(view.num_touched_swap_slots));
  for (SwapSlotId slot = 0; slot < view.num_touched_swap_slots; ++slot)
    EXPECT_EQ(view.swap_cells[static_cast<size_t>(slot)], slots.contains(slot) ? 1 : 0) << slot;
  EXPECT_EQ(view.stats.num_swap_slots - view.stats.num_free_swap_slots, std::ssize(slots));

  executor_->lets_arrive = false;
  look_until([](const EngineView& seen) {
    return !seen.sequences.empty() && seen.sequences.back().phase == SequencePhase::kReturn;
  });
  EXPECT_EQ(view.swapped.size(), 2U) << "on their way back they have both";
  EXPECT_TRUE(view.waiting.empty());
  executor_->lets_arrive = true;
  look_until([](const EngineView& seen) { return seen.sequences.empty(); });
  EXPECT_TRUE(view.swapped.empty());
  EXPECT_FALSE(view.swap_cells.empty());
  EXPECT_THAT(view.swap_cells, Each(0));
}

TEST_F(EngineViewTest, StepsAreRecordedFromTheFirstLookOn) {
  build(32);
  const auto stream = submit(6, 20);
  engine_->step();
  EXPECT_TRUE(look().steps.empty());
  engine_->step();
  clock_.advance_ns(StepLog::kPatienceNs);
  engine_->step();  // too long after the look
  const EngineView& view = look();
  ASSERT_EQ(view.steps.size(), 2U);
  EXPECT_EQ(view.steps[0].number, 2);
  EXPECT_EQ(view.steps[0].num_decodes, 1);
}

TEST_F(EngineViewTest, TotalsAreThoseOfTheMetrics) {
  build(32);
  const auto stream = submit(6, 5);
  while (engine_->step()) {
  }
  const EngineView& view = look();
  EXPECT_EQ(view.totals.prompt_tokens, 6);
  EXPECT_EQ(view.totals.generation_tokens, 5);
  EXPECT_EQ(view.totals.num_first_tokens, 1);
  EXPECT_EQ(view.totals.num_token_gaps, 4);
}

// However large the pool and long the lists, a view stays within what reserve() has taken.
TEST_F(EngineViewTest, IsBounded) {
  build(50'000, 200, 0, 4096);
  view_->reserve();
  const auto cells = view_->cells.data();
  const auto entries = view_->table_entries.data();
  std::vector<std::shared_ptr<RequestStream>> streams;
  for (int32_t i = 0; i < 300; ++i) streams.push_back(submit(300, 100, 1, 10 + i * 1000));
  for (int32_t i = 0; i < 60; ++i) engine_->step();  // 200 are in by then, and none has ended
  const EngineView& view = look();
  EXPECT_EQ(view.num_sequences, 200);
  EXPECT_EQ(view.sequences.size(), size_t{EngineView::kMaxSequences});
  EXPECT_EQ(view.waiting.size(), size_t{EngineView::kMaxWaiting});
  EXPECT_EQ(view.table_entries.size(), size_t{EngineView::kMaxTableEntries});
  EXPECT_LT(view.sequences.back().num_entries, view.sequences.back().num_blocks);
  EXPECT_LE(view.cells.size(), size_t{EngineView::kMaxCells});
  EXPECT_GT(view.blocks_per_cell, 1);
  int64_t held = 0;
  for (const BlockCell& cell : view.cells) held += cell.num_held;
  EXPECT_EQ(held, view.stats.num_blocks - view.stats.num_free_blocks);
  EXPECT_EQ(view.cells.data(), cells);
  EXPECT_EQ(view.table_entries.data(), entries);
}

}  // namespace
}  // namespace quire
