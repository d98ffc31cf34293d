#include "runtime/local_executor.h"

#include <gtest/gtest.h>

#include <vector>

#include "grammar/grammar_compiler.h"
#include "tests/runtime/runner_fixture.h"
#include "tests/tokenizer/byte_level_spec.h"

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

// A step that was submitted ahead decodes a row that turns out to have no next token: in vain, and harmless.
TEST(LocalExecutor, GoesOnAfterAGrammarsDeadEnd) {
  const RandomModelFile file;
  const RunnerSpec spec{.num_blocks = 16, .max_tokens = 32, .max_seqs = 2};
  const auto tokenizer = *Tokenizer::create(byte_level_spec("gpt-2", {}, {"<end>"}));
  MetricsRegistry metrics{""};
  GrammarCompiler compiler(*tokenizer, {256}, {}, metrics);
  const auto grammar = compiler.compile(
      {.kind = GrammarKind::kEbnf, .text = "root ::= \"a\" b\nb ::= b \"x\"", .field = "f"});
  ASSERT_TRUE(grammar) << grammar.error().message;
  LocalExecutor executor(open_runner(file.path(), spec));
  StepWriter steps(spec);
  steps.start(0, {5, 6, 7}, {.grammar = *grammar});
  steps.start(1, {5, 6, 7});
  std::vector<StepInput> inputs(4);
  for (size_t i = 0; i < inputs.size(); ++i) {
    steps.work(0, i == 0 ? 3 : 1, true);
    steps.work(1, i == 0 ? 3 : 1, true);
    inputs[i] = steps.input;
    steps.input.clear();
  }
  executor.submit(inputs[0]);
  std::vector<TokenId> constrained, free;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i + 1 < inputs.size()) executor.submit(inputs[i + 1]);
    const auto output = executor.collect();
    ASSERT_TRUE(output);
    ASSERT_EQ((*output)->samples.size(), 2U);
    constrained.push_back((*output)->samples[0].token);
    free.push_back((*output)->samples[1].token);
  }
  EXPECT_EQ(constrained, (std::vector<TokenId>{'a', -1, -1, -1}));
  auto runner = open_runner(file.path(), spec);
  EXPECT_EQ(free, generate(*runner, spec, {5, 6, 7}, 4));
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
