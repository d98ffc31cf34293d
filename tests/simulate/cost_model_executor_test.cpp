#include "simulate/cost_model_executor.h"

#include <gtest/gtest.h>

#include <memory>

#include "engine/llm_engine.h"

namespace quire {
namespace {

TEST(CostModelExecutor, StepsTakeTheModelsTimeAndSampleForEverySlot) {
  const CostModel model{.name = "", .source = "", .points = {{1, 0.5}}, .sample_s = 0.25};
  ManualClock clock;
  CostModelExecutor executor(model, clock);
  StepInput first, second;
  first.step_id = 7;
  first.samples = {{.row = 0, .slot = 3}, {.row = 0, .slot = 5}};
  executor.submit(first);
  executor.submit(second);
  const auto output = executor.collect();
  ASSERT_TRUE(output);
  EXPECT_EQ((*output)->step_id, 7);
  ASSERT_EQ((*output)->samples.size(), 2u);
  EXPECT_EQ((*output)->samples[1].slot, 5);
  EXPECT_EQ(clock.now_ns(), 1'000'000'000);
  ASSERT_TRUE(executor.collect());
  EXPECT_EQ(clock.now_ns(), 1'500'000'000);
}

TEST(CostModelExecutor, BeamsGetCandidatesAndTheirBranchesToo) {
  const CostModel model{.name = "", .source = "", .points = {{1, 1.0}}};
  ManualClock clock;
  CostModelExecutor executor(model, clock);
  auto params = std::make_shared<SamplingParams>();
  params->n = 3;
  params->use_beam_search = true;
  StepInput input;
  input.starts.push_back({.slot = 1, .tokens = {5}, .num_prompt_tokens = 1, .sampling = params});
  input.starts.push_back({.slot = 2, .tokens = {5}, .num_prompt_tokens = 1, .sampling = nullptr});
  input.samples = {{.row = 0, .slot = 1}, {.row = 1, .slot = 2}};
  executor.submit(input);
  const auto first = executor.collect();
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)->samples[0].num_top, 3);
  EXPECT_EQ((*first)->samples[0].token, -1);
  EXPECT_EQ((*first)->samples[1].num_top, 0);
  EXPECT_EQ((*first)->top.size(), 3u);

  input.clear();
  input.branches.push_back({.parent = 1, .child = 2, .num_tokens = 1, .tokens = {}});
  input.samples = {{.row = 0, .slot = 2}};
  executor.submit(input);
  const auto second = executor.collect();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->samples[0].num_top, 3);
}

TEST(CostModelExecutor, ABeamSearchGoesToItsLength) {
  const CostModel model{.name = "", .source = "", .points = {{1, 1.0}}};
  ManualClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine({.num_blocks = 32, .block_size = 4, .max_model_len = 32, .max_num_seqs = 8},
                   std::make_unique<CostModelExecutor>(model, clock), clock, metrics);
  SamplingParams params;
  params.n = 4;
  params.use_beam_search = true;
  params.max_tokens = 20;
  params.ignore_eos = true;
  const auto stream = engine.submit({1, 2, 3}, params);
  ASSERT_TRUE(stream);
  while (engine.step()) ASSERT_TRUE(engine.check());
  std::vector<TokenDelta> deltas;
  EXPECT_FALSE((*stream)->poll(deltas));
  ASSERT_EQ(deltas.size(), 80u);
  for (const TokenDelta& delta : deltas) EXPECT_EQ(delta.time_ns, 20'000'000'000);
}

// The real engine at the model's pace: 3 tokens of prompt, then 4 more steps of one token.
TEST(CostModelExecutor, ARequestTakesItsStepsTime) {
  const CostModel model{.name = "", .source = "", .points = {{1, 1.0}, {2, 2.0}}};
  ManualClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine({.num_blocks = 4, .block_size = 4, .max_model_len = 16, .max_num_seqs = 2},
                   std::make_unique<CostModelExecutor>(model, clock), clock, metrics);
  SamplingParams params;
  params.max_tokens = 5;
  params.ignore_eos = true;
  const auto stream = engine.submit({1, 2, 3}, params);
  ASSERT_TRUE(stream);
  while (engine.step()) continue;
  std::vector<TokenDelta> deltas;
  EXPECT_FALSE((*stream)->poll(deltas));
  ASSERT_EQ(deltas.size(), 5u);
  EXPECT_EQ(deltas.front().time_ns, 3'000'000'000);
  EXPECT_EQ(deltas.back().time_ns, 7'000'000'000);
}

}  // namespace
}  // namespace quire
