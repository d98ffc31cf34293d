#include "runtime/local_executor.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

// Prompt and three decodes, each step submitted while the one before it is under way: a decode names no
// token, so nothing has to be known of it.
TEST(LocalExecutor, RunsStepsInOrderAndOneAhead) {
  const RandomModelFile file;
  const RunnerSpec spec{.num_blocks = 16, .max_tokens = 32, .max_seqs = 2};
  const std::vector<TokenId> prompt{5, 6, 7, 8};
  auto runner = open_runner(file.path(), spec);
  ASSERT_NE(runner, nullptr);
  const auto want = generate(*runner, spec, prompt, 4);

  LocalExecutor executor(std::move(runner));
  ASSERT_EQ(executor.max_submitted(), 2);
  StepWriter steps(spec);
  std::vector<StepInput> inputs(4);
  steps.start(0, prompt);
  for (size_t i = 0; i < inputs.size(); ++i) {
    steps.work(0, i == 0 ? 4 : 1, true);
    inputs[i] = steps.input;
    steps.input.clear();
  }
  executor.submit(inputs[0]);
  std::vector<TokenId> got;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i + 1 < inputs.size()) executor.submit(inputs[i + 1]);
    const auto output = executor.collect();
    ASSERT_TRUE(output);
    ASSERT_EQ((*output)->samples.size(), 1u);
    got.push_back((*output)->samples[0].token);
  }
  EXPECT_EQ(got, want);
}

TEST(LocalExecutor, EndsWithAStepUnderWay) {
  const RandomModelFile file;
  const RunnerSpec spec{.num_blocks = 16, .max_tokens = 32, .max_seqs = 2};
  StepWriter steps(spec);
  steps.start(0, {5, 6, 7});
  steps.work(0, 3, true);
  LocalExecutor executor(open_runner(file.path(), spec));
  executor.submit(steps.input);
}

}  // namespace
}  // namespace quire
