// Requests for embeddings among those that generate.
#include <gtest/gtest.h>

#include <array>
#include <list>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "engine/llm_engine.h"
#include "runtime/local_executor.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

using Embedding = std::vector<float>;

std::vector<TokenId> prompt_of(uint64_t seed, size_t count) {
  Rng rng(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(kRandomModelMinVocab));
  return tokens;
}

class EmbeddingEngineTest : public testing::Test {
 protected:
  std::unique_ptr<LLMEngine> open(const LLMEngineOptions& options) {
    RunnerSpec spec{.block_size = options.block_size, .num_blocks = options.num_blocks};
    return std::make_unique<LLMEngine>(options,
                                       std::make_unique<LocalExecutor>(open_runner(file_.path(), spec)),
                                       clock_, metrics_.emplace_back(""));
  }

  static std::shared_ptr<RequestStream> submit(LLMEngine& engine, std::vector<TokenId> prompt,
                                               Pooling pooling) {
    SamplingParams params{.max_tokens = 1, .temperature = 0};
    params.pooling = pooling;
    const auto stream = engine.submit(std::move(prompt), params);
    EXPECT_TRUE(stream) << stream.error().message;
    return *stream;
  }

  // Of a stream that has ended: one delta, with the embedding and no token.
  static Embedding take(RequestStream& stream) {
    std::vector<TokenDelta> deltas;
    EXPECT_FALSE(stream.poll(deltas));
    EXPECT_EQ(deltas.size(), 1);
    if (deltas.empty()) return {};
    EXPECT_EQ(deltas[0].token, -1);
    EXPECT_EQ(deltas[0].finish_reason, FinishReason::kStop);
    return deltas[0].embedding;
  }

  static void run(LLMEngine& engine) {
    while (engine.step()) {
      const auto checked = engine.check();
      ASSERT_TRUE(checked) << checked.error().message;
    }
    EXPECT_EQ(engine.stats().num_free_blocks, engine.stats().num_blocks);
  }

  const RandomModelFile file_;
  const SystemClock clock_;
  std::list<MetricsRegistry> metrics_;
};

constexpr std::array kPoolings = {Pooling::kMean, Pooling::kCls, Pooling::kLast};

TEST_F(EmbeddingEngineTest, TheSameVectorWhateverTheBatchTheCacheAndThePreemptions) {
  std::vector<std::vector<TokenId>> prompts;
  const auto common = prompt_of(99, 48);
  for (uint64_t i = 0; i < 6; ++i) {
    prompts.push_back(common);
    const auto own = prompt_of(i, 10 + 15 * i);
    prompts.back().insert(prompts.back().end(), own.begin(), own.end());
  }
  std::vector<Embedding> expected;
  {
    const auto engine = open({.num_blocks = 64, .max_model_len = 256, .max_num_seqs = 8});
    for (const auto& prompt : prompts) {
      for (const Pooling pooling : kPoolings) {
        const auto stream = submit(*engine, prompt, pooling);
        run(*engine);
        expected.push_back(take(*stream));
        EXPECT_EQ(expected.back().size(), 64);
      }
    }
  }
  // Few blocks, small steps and generating requests that grow: embeddings are preempted in their midst.
  const auto engine = open({.num_blocks = 16,
                            .max_model_len = 256,
                            .max_num_seqs = 8,
                            .max_num_batched_tokens = 12,
                            .enable_prefix_caching = true,
                            .expected_output_tokens = 0});
  std::vector<std::shared_ptr<RequestStream>> streams, generating;
  for (int i = 0; i < 4; ++i) {
    SamplingParams params{.max_tokens = 90, .temperature = 0, .ignore_eos = true};
    generating.push_back(*engine->submit(prompt_of(200 + static_cast<uint64_t>(i), 5), params));
  }
  for (const auto& prompt : prompts) {
    for (const Pooling pooling : kPoolings) streams.push_back(submit(*engine, prompt, pooling));
  }
  run(*engine);
  EXPECT_GT(engine->stats().num_preemptions, 0);
  EXPECT_GT(engine->stats().num_tokens_found, 0);  // by those that need only the last hidden state
  for (size_t i = 0; i < streams.size(); ++i) EXPECT_EQ(take(*streams[i]), expected[i]) << "request " << i;
}

TEST_F(EmbeddingEngineTest, AnAbortedOneGivesItsBlocksBack) {
  const auto engine =
      open({.num_blocks = 16, .max_model_len = 256, .max_num_seqs = 4, .max_num_batched_tokens = 16});
  const auto stream = submit(*engine, prompt_of(1, 100), Pooling::kMean);
  engine->step();
  EXPECT_LT(engine->stats().num_free_blocks, 16);
  engine->abort(stream->id());
  run(*engine);
  std::vector<TokenDelta> deltas;
  EXPECT_FALSE(stream->poll(deltas));
  EXPECT_EQ(deltas.back().finish_reason, FinishReason::kAborted);
  EXPECT_TRUE(deltas.back().embedding.empty());
}

}  // namespace
}  // namespace quire
