#include "runtime/grammar_masks.h"

#include <gtest/gtest.h>

#include <atomic>

#include "grammar/grammar_compiler.h"
#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

constexpr TokenId kEndOfText = 256;

// Rows of which slots 0 to 2 may have the grammar (ab|ac)+ and slot 3 has none.
class GrammarMasksTest : public testing::Test {
 protected:
  void SetUp() override {
    tokenizer_ = *Tokenizer::create(byte_level_spec("gpt-2", {}, {"<end>"}));
    compiler_.emplace(*tokenizer_, std::vector<TokenId>{kEndOfText}, GrammarCompilerOptions{}, metrics_);
    const auto grammar =
        compiler_->compile({.kind = GrammarKind::kRegex, .text = "(ab|ac)+", .field = "f"});
    ASSERT_TRUE(grammar);
    auto params = std::make_shared<SamplingParams>();
    params->grammar = *grammar;
    constrained_ = params;
  }

  static RowStart start(SlotId slot, std::vector<TokenId> tokens,
                        std::shared_ptr<const SamplingParams> params) {
    return {slot, std::move(tokens), 1, 1, std::move(params)};
  }

  void run(const StepInput& step) {
    masks_.begin_step(step);
    rows_.begin_step(step);
    masks_.start(step.samples);
    rows_.fork(step.forks);
    masks_.finish(step);
  }

  // The next tokens that the slot's mask lets through; "$" is the end.
  std::string allowed(SlotId slot) const {
    std::string out;
    for (TokenId id = 0; id <= kEndOfText; ++id) {
      if (!allows(masks_.mask(slot), id)) continue;
      out += id == kEndOfText ? '$' : static_cast<char>(id);
    }
    return out;
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  MetricsRegistry metrics_{""};
  std::optional<GrammarCompiler> compiler_;
  std::shared_ptr<const SamplingParams> constrained_;
  RowTable rows_{4, 16};
  GrammarMasks masks_{rows_, 4};
};

TEST_F(GrammarMasksTest, FollowTheRows) {
  StepInput step;
  step.starts.push_back(start(0, {'p'}, constrained_));
  step.starts.push_back(start(1, {'p', 'a', 'b'}, constrained_));  // as after a preemption
  step.starts.push_back(start(3, {'p'}, std::make_shared<SamplingParams>()));
  step.samples = {{0, 0}, {1, 1}, {2, 3}};
  run(step);
  EXPECT_EQ(allowed(0), "a");
  EXPECT_EQ(allowed(1), "a$");
  EXPECT_TRUE(masks_.mask(3).empty());

  rows_.row(0).tokens.push_back('a');
  rows_.row(1).tokens.push_back(kEndOfText);
  step.clear();
  step.samples = {{0, 0}, {1, 1}};
  run(step);
  EXPECT_EQ(allowed(0), "bc");
  EXPECT_EQ(allowed(1), "");  // computed ahead, in vain

  step.clear();
  step.ends = {0, 1};
  step.starts.push_back(start(0, {'p'}, std::make_shared<SamplingParams>()));
  step.starts.push_back(start(1, {'p', 'a'}, constrained_));
  step.samples = {{0, 0}, {1, 1}};
  run(step);
  EXPECT_TRUE(masks_.mask(0).empty());
  EXPECT_EQ(allowed(1), "bc");
}

TEST_F(GrammarMasksTest, ForksBeginWhereTheirParentStands) {
  StepInput step;
  step.starts.push_back(start(0, {'p'}, constrained_));
  step.samples = {{0, 0}, {0, 1}, {0, 2}};
  step.forks.push_back({.parent = 0, .child = 1, .seed = 2, .num_tokens = 1, .tokens = {}});
  step.forks.push_back({.parent = 0, .child = 2, .seed = 3, .num_tokens = 1, .tokens = {'a', 'c', 'a'}});
  step.samples.resize(1);
  run(step);
  EXPECT_EQ(allowed(0), "a");
  EXPECT_EQ(allowed(1), "a");
  EXPECT_EQ(allowed(2), "bc");

  // A beam that branches: slot 2 dies and becomes a copy of slot 0 with another token.
  rows_.row(0).tokens.push_back('a');
  step.clear();
  step.samples = {{0, 0}};
  run(step);
  step.clear();
  step.ends = {2};
  step.branches.push_back({.parent = 0, .child = 2, .seed = 4, .num_tokens = 2, .tokens = {}});
  step.tokens = {{0, 'b'}, {2, 'c'}};
  step.samples = {{0, 0}, {1, 2}};
  run(step);
  EXPECT_EQ(allowed(0), "a$");
  EXPECT_EQ(allowed(2), "a$");
  EXPECT_EQ(rows_.row(2).tokens, (std::vector<TokenId>{'p', 'a', 'c'}));
}

TEST_F(GrammarMasksTest, AHistoryThatIsNoneOfTheGrammarsAllowsNothing) {
  StepInput step;
  step.starts.push_back(start(0, {'p', 'x', 'a'}, constrained_));
  step.samples = {{0, 0}};
  run(step);
  EXPECT_FALSE(masks_.mask(0).empty());
  EXPECT_EQ(allowed(0), "");
}

// Without a budget whatever is done with a grammar takes too long.
TEST_F(GrammarMasksTest, WhatTakesTooLongIsGivenUp) {
  GrammarMasks masks(rows_, 4, {.most_ns = -1, .per_token_ns = 0});
  StepInput step;
  step.starts.push_back(start(0, {'p'}, constrained_));
  step.starts.push_back(start(3, {'p'}, std::make_shared<SamplingParams>()));
  step.samples = {{0, 0}, {1, 3}};
  masks.begin_step(step);
  rows_.begin_step(step);
  masks.start(step.samples);
  masks.finish(step);
  ASSERT_FALSE(masks.mask(0).empty());
  for (TokenId id = 0; id <= kEndOfText; ++id) EXPECT_FALSE(allows(masks.mask(0), id));
  EXPECT_TRUE(masks.mask(3).empty());
}

// By a clock on which each of a token's two steps, to follow it and to find the next ones, takes 10: of a
// budget of 100 the first mask takes 10, and each token 20 less what it adds.
TEST_F(GrammarMasksTest, ABudgetIsSpentInSum) {
  const auto clock = []() -> int64_t {
    static std::atomic<int64_t> now{0};
    return now += 10;
  };
  const auto tokens_until_lost = [&](int64_t per_token) {
    RowTable rows{1, 100};
    GrammarMasks masks(rows, 1, {.most_ns = 100, .per_token_ns = per_token}, clock);
    StepInput step;
    step.starts.push_back(start(0, {'p'}, constrained_));
    for (int count = 0; count < 60; ++count) {
      step.samples = {{0, 0}};
      masks.begin_step(step);
      rows.begin_step(step);
      masks.start(step.samples);
      masks.finish(step);
      if (!allows(masks.mask(0), count % 2 == 0 ? 'a' : 'b')) return count;
      rows.row(0).tokens.push_back(count % 2 == 0 ? 'a' : 'b');
      step.clear();
    }
    return -1;
  };
  EXPECT_EQ(tokens_until_lost(0), 5);
  EXPECT_EQ(tokens_until_lost(12), 12);
  EXPECT_EQ(tokens_until_lost(20), -1);
}

}  // namespace
}  // namespace quire
