// Views as JSON, of views made by hand.
#include "server/engine_view_json.h"

#include <gtest/gtest.h>

#include "engine/engine_view.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

class EngineViewJsonTest : public ApiFixture {
 protected:
  Answer json(int64_t last_step = 0) const { return {200, engine_view_json(served, view_, last_step)}; }

  EngineView view_;
};

TEST_F(EngineViewJsonTest, CellsAreDigits) {
  view_.num_touched_blocks = 3;
  view_.cells = {{.num_held = 1, .num_kept = 0, .most_holders = 1},
                 {.num_held = 0, .num_kept = 1, .most_holders = 0},
                 {.num_held = 1, .num_kept = 0, .most_holders = 100}};
  const Answer view = json();
  EXPECT_EQ(view.at("/blocks/touched"), "3");
  EXPECT_EQ(view.at("/blocks/per_cell"), "1");
  EXPECT_EQ(view.at("/blocks/held"), "BAB");
  EXPECT_EQ(view.at("/blocks/kept"), "ABA");
  EXPECT_EQ(view.at("/blocks/holders"), "BA_") << "63 stands for more";
}

TEST_F(EngineViewJsonTest, CountsInLargeCellsAreIn63rds) {
  view_.num_touched_blocks = 4 * 630;
  view_.blocks_per_cell = 630;
  for (const int32_t held : {0, 1, 315, 630}) view_.cells.push_back({.num_held = held});
  EXPECT_EQ(json().at("/blocks/held"), "ABg_") << "one of many is not none";
}

TEST_F(EngineViewJsonTest, WhatIsSwappedHasItsTables) {
  view_.stats.num_swap_slots = 9;
  view_.stats.num_free_swap_slots = 5;
  view_.num_touched_swap_slots = 5;
  view_.swap_cells = {1, 1, 0, 1, 1};
  view_.swapped = {{.request = 4, .index = 0, .num_slots = 3, .first_entry = 0, .num_entries = 3},
                   {.request = 4, .index = 1, .num_slots = 3, .first_entry = 3, .num_entries = 1}};
  view_.swap_entries = {0, 1, 4, 0};
  const Answer view = json();
  EXPECT_EQ(view.at("/swap/total"), "9");
  EXPECT_EQ(view.at("/swap/used"), "4");
  EXPECT_EQ(view.at("/swap/touched"), "5");
  EXPECT_EQ(view.at("/swap/held"), "BBABB");
  EXPECT_EQ(view.at("/swap/tables/0/request"), "4");
  EXPECT_EQ(view.at("/swap/tables/0/slots"), "[0,1,4]");
  EXPECT_EQ(view.at("/swap/tables/1/index"), "1");
  EXPECT_EQ(view.at("/swap/tables/1/num_slots"), "3");
  EXPECT_EQ(view.at("/swap/tables/1/slots"), "[0]") << "the view had no room for more";
}

TEST_F(EngineViewJsonTest, TimesThatHaveNotComeAreNull) {
  view_.now_ns = 9'000'000'000;
  view_.sequences = {{.request = 1, .num_prompt_tokens = 5, .arrival_ns = 8'000'000'000},
                     {.request = 2,
                      .phase = SequencePhase::kDecode,
                      .num_output_tokens = 3,
                      .arrival_ns = 1'000'000'000,
                      .first_token_ns = 1'250'000'000,
                      .last_token_ns = 1'350'000'000}};
  const Answer view = json();
  EXPECT_EQ(view.at("/sequences/0/state"), "prefill");
  EXPECT_EQ(view.at("/sequences/0/age_ms"), "1000");
  EXPECT_EQ(view.at("/sequences/0/ttft_ms"), "null");
  EXPECT_EQ(view.at("/sequences/0/tpot_ms"), "null");
  EXPECT_EQ(view.at("/sequences/1/ttft_ms"), "250");
  EXPECT_EQ(view.at("/sequences/1/tpot_ms"), "50");
}

TEST_F(EngineViewJsonTest, OnlyStepsAfterTheLastAreWritten) {
  for (const int64_t number : {7, 8, 9}) {
    view_.steps.push_back({.number = number,
                           .start_ns = number * 1'000'000,
                           .end_ns = number * 1'000'000 + 500'000,
                           .num_decodes = 2,
                           .num_prefill_tokens = 30});
  }
  const Answer view = json(8);
  EXPECT_EQ(view.at("/steps/0/number"), "9");
  EXPECT_EQ(view.at("/steps/0/ms"), "0.5");
  EXPECT_EQ(view.at("/steps/0/decodes"), "2");
  EXPECT_EQ(view.at("/steps/0/prefill_tokens"), "30");
  EXPECT_EQ(view.at("/steps/1"), "absent");
}

}  // namespace
}  // namespace quire
