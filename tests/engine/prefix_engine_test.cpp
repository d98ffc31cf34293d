// Requests with common prefixes by the engine on a small model: the same tokens and log-probabilities, bit
// for bit, with the prefix cache as without it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/llm_engine.h"
#include "runtime/local_executor.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

struct Answer {
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;
  int32_t num_cached_tokens = 0;
};

class PrefixEngineTest : public testing::Test {
 protected:
  void build(bool cached, int32_t num_blocks = 200) {
    const RunnerSpec spec{.block_size = 8, .num_blocks = num_blocks, .max_tokens = 24, .max_seqs = 8};
    engine_.reset();
    metrics_ = std::make_unique<MetricsRegistry>("");
    engine_ = std::make_unique<LLMEngine>(
        LLMEngineOptions{.num_blocks = num_blocks,
                         .block_size = spec.block_size,
                         .max_model_len = 128,
                         .max_num_seqs = spec.max_seqs,
                         .max_num_batched_tokens = static_cast<int32_t>(spec.max_tokens),
                         .enable_prefix_caching = cached},
        std::make_unique<LocalExecutor>(open_runner(file_.path(), spec)), clock_, *metrics_);
  }

  // All of them at once, each with `num_common` tokens that it has in common with the others.
  std::vector<Answer> run(int32_t count, int32_t num_common, const std::string& salt = {}) {
    std::vector<std::shared_ptr<RequestStream>> streams;
    for (int32_t i = 0; i < count; ++i) {
      EngineRequest request{.prompt = {}, .params = params(), .cache_salt = salt};
      for (int32_t t = 0; t < num_common; ++t) request.prompt.push_back(5 + t % 90);
      for (int32_t t = 0; t < 5; ++t) request.prompt.push_back(100 + i * 5 + t);
      std::vector<EngineRequest> requests;
      requests.push_back(std::move(request));
      streams.push_back(engine_->submit(std::move(requests))->front());
    }
    while (engine_->step()) {
      const auto checked = engine_->check();
      EXPECT_TRUE(checked) << checked.error().message;
    }
    std::vector<Answer> answers(streams.size());
    for (size_t i = 0; i < streams.size(); ++i) {
      std::vector<TokenDelta> deltas;
      EXPECT_FALSE(streams[i]->poll(deltas)) << "it has not ended";
      for (const TokenDelta& delta : deltas) {
        answers[i].tokens.push_back(delta.token);
        answers[i].logprobs.push_back(delta.logprob);
        answers[i].num_cached_tokens += delta.num_cached_tokens;
      }
    }
    return answers;
  }

  static std::shared_ptr<const SamplingParams> params() {
    SamplingParams params;
    params.max_tokens = 20;
    params.seed = 3;
    params.ignore_eos = true;
    params.logprobs = 0;
    return std::make_shared<const SamplingParams>(params);
  }

  static void expect_same(const std::vector<Answer>& got, const std::vector<Answer>& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].tokens, wanted[i].tokens);
      EXPECT_EQ(got[i].logprobs, wanted[i].logprobs);
    }
  }

  RandomModelFile file_;
  SystemClock clock_;
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<LLMEngine> engine_;
};

TEST_F(PrefixEngineTest, WhatIsFoundIsWhatWouldBeComputed) {
  build(false);
  const auto wanted = run(6, 40);
  EXPECT_EQ(wanted[5].num_cached_tokens, 0);
  build(true);
  const auto first = run(6, 40);  // side by side: blocks merge, later ones find what the first has left
  expect_same(first, wanted);
  EXPECT_EQ(first[0].num_cached_tokens, 0);
  const auto again = run(6, 40);
  expect_same(again, wanted);
  for (const Answer& answer : again) EXPECT_EQ(answer.num_cached_tokens, 40);
  const EngineStats stats = engine_->stats();
  EXPECT_GE(stats.num_tokens_found, 240);
  EXPECT_EQ(stats.num_tokens_queried, 12 * 45);
  EXPECT_EQ(stats.num_free_blocks, stats.num_blocks);
}

TEST_F(PrefixEngineTest, ASmallPoolPreemptsEvictsAndChangesNothing) {
  build(false);
  const auto wanted = run(8, 24);
  build(true, 12);
  for (int round = 0; round < 3; ++round) expect_same(run(8, 24), wanted);
  EXPECT_GT(engine_->stats().num_evictions, 0);
}

TEST_F(PrefixEngineTest, AnotherSaltFindsNothing) {
  build(true);
  const auto wanted = run(2, 40, "one");
  const auto other = run(2, 40, "two");
  expect_same(other, wanted);
  EXPECT_EQ(other[0].num_cached_tokens, 0);
  EXPECT_EQ(run(2, 40, "one")[0].num_cached_tokens, 40);
}

}  // namespace
}  // namespace quire
