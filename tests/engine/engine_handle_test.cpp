// The whole engine on a tiny random model: what a request gets must not depend on who else is there.
#include "engine/engine_handle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/rng.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

std::vector<TokenId> random_prompt(uint64_t seed, size_t size) {
  Rng rng(seed);
  std::vector<TokenId> prompt(size);
  for (TokenId& token : prompt) token = static_cast<TokenId>(3 + rng.below(256));
  return prompt;
}

std::vector<TokenId> wait_tokens(RequestStream& stream) {
  std::vector<TokenId> tokens;
  std::vector<TokenDelta> deltas;
  while (stream.wait(deltas)) {
    for (const TokenDelta& delta : deltas) {
      if (delta.token >= 0) tokens.push_back(delta.token);
    }
    deltas.clear();
  }
  for (const TokenDelta& delta : deltas) {
    if (delta.token >= 0) tokens.push_back(delta.token);
  }
  return tokens;
}

class EngineHandleTest : public ::testing::Test {
 protected:
  Expected<EngineHandle> open(EngineConfig config) {
    config.model = model_.path();
    config.threads = 2;
    return open_engine(config, clock_, metrics_);
  }

  // All prompts at once; every one's tokens.
  std::vector<std::vector<TokenId>> run(LLMEngine& engine, const std::vector<std::vector<TokenId>>& prompts,
                                        const SamplingParams& params) {
    std::vector<std::shared_ptr<RequestStream>> streams;
    for (const auto& prompt : prompts) {
      auto stream = engine.submit(prompt, params);
      EXPECT_TRUE(stream) << stream.error().message;
      streams.push_back(*stream);
    }
    std::vector<std::vector<TokenId>> tokens;
    for (const auto& stream : streams) tokens.push_back(wait_tokens(*stream));
    return tokens;
  }

  const RandomModelFile model_;
  SystemClock clock_;
  MetricsRegistry metrics_{""};
};

TEST_F(EngineHandleTest, TheSameGreedyTokensAloneTogetherChunkedOrPreempted) {
  const TempFolder folder;
  std::vector<std::vector<TokenId>> prompts;
  for (uint64_t i = 0; i < 32; ++i) prompts.push_back(random_prompt(i, 5 + i * 3));
  const SamplingParams params{.max_tokens = 24, .temperature = 0, .ignore_eos = true};
  std::vector<std::vector<TokenId>> alone;
  {
    auto handle = open({.max_num_seqs = 1});
    ASSERT_TRUE(handle) << handle.error().message;
    for (const auto& prompt : prompts) alone.push_back(run(*handle->engine, {prompt}, params)[0]);
  }
  for (const auto& tokens : alone) ASSERT_EQ(tokens.size(), 24U);
  const int64_t block = 2 * 2 * 2 * 16 * 16 * 2;  // layers, k and v, KV heads, dimensions, tokens, bytes
  const std::vector<EngineConfig> configs{
      {.max_num_seqs = 32},
      {.max_num_seqs = 32, .max_num_batched_tokens = 7},
      {.max_num_seqs = 5, .max_num_batched_tokens = 1},
      // A fraction of the blocks that they need, and nobody held back: preemption.
      {.max_num_seqs = 32,
       .kv_cache_memory_bytes = 20 * block,
       .preemption_mode = "recompute",
       .expected_output_tokens = 0},
      {.max_num_seqs = 32,
       .kv_cache_memory_bytes = 20 * block,
       .preemption_mode = "swap",
       .expected_output_tokens = 0},
      {.max_num_seqs = 32,
       .kv_cache_memory_bytes = 20 * block,
       .swap_dir = folder.path().string(),
       .preemption_mode = "swap",
       .expected_output_tokens = 0},
  };
  for (const EngineConfig& config : configs) {
    auto handle = open(config);
    ASSERT_TRUE(handle) << handle.error().message;
    EXPECT_EQ(run(*handle->engine, prompts, params), alone) << config.max_num_seqs << " sequences";
    if (config.kv_cache_memory_bytes) {
      const EngineStats stats = handle->engine->stats();
      EXPECT_GT(stats.num_preemptions, 0);
      EXPECT_EQ(stats.preemptions.num_swapped > 0, config.preemption_mode == "swap");
      EXPECT_EQ(stats.preemptions.num_swaps_lost, 0);
      EXPECT_EQ(stats.num_free_swap_slots, stats.num_swap_slots);
    }
    handle->engine->drain(10);
    EXPECT_EQ(handle->engine->stats().num_free_blocks, handle->engine->stats().num_blocks);
  }
}

TEST_F(EngineHandleTest, SeededSamplesDoNotDependOnCompanyEither) {
  std::vector<std::vector<TokenId>> prompts;
  for (uint64_t i = 0; i < 12; ++i) prompts.push_back(random_prompt(i, 10));
  const SamplingParams params{
      .n = 2, .max_tokens = 10, .temperature = 1.3, .top_p = 0.9, .seed = 5, .ignore_eos = true};
  auto handle = open({.max_num_seqs = 24});
  ASSERT_TRUE(handle);
  const auto alone = run(*handle->engine, {prompts[3]}, params)[0];
  EXPECT_EQ(alone.size(), 20U);
  auto first = run(*handle->engine, prompts, params)[3];
  auto sorted = alone;
  std::ranges::sort(sorted);  // the two continuations' deltas may interleave differently
  std::ranges::sort(first);
  EXPECT_EQ(first, sorted);
}

// Forks, beams and a prefix in common, in a pool that holds a fraction of them.
TEST_F(EngineHandleTest, ForksAndBeamsComeBackFromTheSwapSpaceAsTheyWere) {
  const TempFolder folder;
  std::vector<std::vector<TokenId>> prompts;
  for (uint64_t i = 0; i < 8; ++i) {
    prompts.push_back(random_prompt(99, 40));
    for (const TokenId token : random_prompt(i, 9)) prompts.back().push_back(token);
  }
  const std::vector<SamplingParams> kinds{
      {.max_tokens = 60, .temperature = 0, .ignore_eos = true},
      {.n = 3, .max_tokens = 60, .temperature = 1.1, .seed = 3, .ignore_eos = true},
      {.n = 3, .max_tokens = 60, .temperature = 0, .use_beam_search = true, .ignore_eos = true},
  };
  const auto run_mixed = [&](LLMEngine& engine, size_t first, size_t count) {
    std::vector<std::shared_ptr<RequestStream>> streams;
    for (size_t i = first; i < first + count; ++i) {
      auto stream = engine.submit(prompts[i], kinds[i % kinds.size()]);
      EXPECT_TRUE(stream) << stream.error().message;
      streams.push_back(*stream);
    }
    std::vector<std::vector<TokenId>> tokens;
    for (const auto& stream : streams) {
      tokens.push_back(wait_tokens(*stream));
      std::ranges::sort(tokens.back());  // continuations' deltas may interleave differently
    }
    return tokens;
  };
  std::vector<std::vector<TokenId>> alone;
  {
    auto handle = open({.max_num_seqs = 4});
    ASSERT_TRUE(handle) << handle.error().message;
    for (size_t i = 0; i < prompts.size(); ++i) alone.push_back(run_mixed(*handle->engine, i, 1)[0]);
  }
  const int64_t block = 2 * 2 * 2 * 16 * 16 * 2;
  for (const std::string& dir : {std::string(), folder.path().string()}) {
    for (const bool caching : {true, false}) {
      auto handle = open({.max_num_seqs = 24,
                          .enable_prefix_caching = caching,
                          .kv_cache_memory_bytes = 24 * block,
                          .swap_dir = dir,
                          .preemption_mode = "swap",
                          .expected_output_tokens = 0});
      ASSERT_TRUE(handle) << handle.error().message;
      EXPECT_EQ(run_mixed(*handle->engine, 0, prompts.size()), alone);
      const EngineStats stats = handle->engine->stats();
      EXPECT_GT(stats.preemptions.num_swapped, 0);
      EXPECT_EQ(stats.preemptions.num_swaps_lost, 0);
      EXPECT_EQ(stats.num_free_swap_slots, stats.num_swap_slots);
    }
  }
}

TEST_F(EngineHandleTest, ASwapFileThatCannotBeMadeIsNamed) {
  for (const char* dir : {"/proc/no-such-folder", "/proc/version"}) {
    const auto handle = open({.swap_dir = dir});
    ASSERT_FALSE(handle) << dir;
    EXPECT_EQ(handle.error().param, "swap_dir");
    EXPECT_NE(handle.error().message.find(dir), std::string::npos) << handle.error().message;
  }
  EXPECT_TRUE(open({.swap_space = 0, .swap_dir = "/proc/no-such-folder"})) << "nothing is to go there";
  const auto negative = open({.swap_space = -1});
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().param, "swap_space");
}

TEST_F(EngineHandleTest, ResolvesWhatWasLeftOpen) {
  auto handle = open({});
  ASSERT_TRUE(handle);
  EXPECT_EQ(handle->config.max_model_len, 256);
  EXPECT_GT(*handle->config.kv_cache_memory_bytes, 0);
  EXPECT_EQ(handle->eos_token_ids, (std::vector<TokenId>{2}));
  ASSERT_NE(handle->chat_template, nullptr);
  EXPECT_EQ(handle->tokenizer->vocab_size(), 512);
}

TEST_F(EngineHandleTest, AMissingOrBrokenFileIsAnError) {
  EXPECT_FALSE(open_engine({.model = "/nowhere.gguf"}, clock_, metrics_));
  EXPECT_FALSE(open_engine({.model = QUIRE_SOURCE_DIR "/README.md"}, clock_, metrics_));
}

}  // namespace
}  // namespace quire
