#include "engine/llm_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"

namespace quire {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

// Answers every sample with `token`. It can be told to fail a step, or to hold each one until it is let go.
class ScriptedExecutor final : public Executor {
 public:
  void submit(const StepInput& input) override {
    if (gated) gate.acquire();
    output_.clear();
    for (const RowStart& start : input.starts) seeds.push_back(start.seed);
    for (const SampleWork& sample : input.samples) {
      output_.samples.push_back({.slot = sample.slot, .token = token, .logprob = -1, .num_top = 1});
      output_.top.push_back({token, -1});
    }
  }
  Expected<const StepOutput*> collect() override {
    if (fails.exchange(false)) return fail(ErrorCode::kInternal, "told to");
    return &output_;
  }

  TokenId token = 5;
  std::vector<uint64_t> seeds;
  std::atomic<bool> fails{false};
  std::atomic<bool> gated{false};
  std::counting_semaphore<> gate{0};

 private:
  StepOutput output_;
};

constexpr LLMEngineOptions kOptions{.num_blocks = 32,
                                    .block_size = 4,
                                    .max_model_len = 64,
                                    .max_num_seqs = 8,
                                    .max_num_batched_tokens = 32,
                                    .max_queue = 16,
                                    .seed = 1};

class LLMEngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("off")); }

  LLMEngineTest() { build(kOptions); }

  void build(const LLMEngineOptions& options) {
    engine_.reset();
    metrics_ = std::make_unique<MetricsRegistry>("");
    auto executor = std::make_unique<ScriptedExecutor>();
    executor_ = executor.get();
    engine_ = std::make_unique<LLMEngine>(options, std::move(executor), clock_, *metrics_);
  }

  static SamplingParams params(int32_t max_tokens, int32_t n = 1) {
    SamplingParams made;
    made.max_tokens = max_tokens;
    made.n = n;
    return made;
  }

  std::shared_ptr<RequestStream> submit(const SamplingParams& params, size_t num_prompt_tokens = 3) {
    auto stream = engine_->submit(std::vector<TokenId>(num_prompt_tokens, 1), params);
    EXPECT_TRUE(stream) << stream.error().message;
    return *stream;
  }

  // Steps and checks until nothing is left to do.
  void run() {
    while (engine_->step()) {
      const auto checked = engine_->check();
      ASSERT_TRUE(checked) << checked.error().message;
    }
  }

  static std::vector<TokenDelta> take(RequestStream& stream) {
    std::vector<TokenDelta> deltas;
    stream.poll(deltas);
    return deltas;
  }

  SystemClock clock_;
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<LLMEngine> engine_;
  ScriptedExecutor* executor_ = nullptr;  // the engine's own
};

TEST_F(LLMEngineTest, StreamsTokensUntilTheLength) {
  const auto stream = submit(params(3));
  run();
  const auto deltas = take(*stream);
  ASSERT_EQ(deltas.size(), 3u);
  for (const TokenDelta& delta : deltas) {
    EXPECT_EQ(delta.token, 5);
    EXPECT_EQ(delta.top.size(), 1u);
  }
  EXPECT_EQ(deltas[1].finish_reason, FinishReason::kNone);
  EXPECT_EQ(deltas[2].finish_reason, FinishReason::kLength);
  EXPECT_FALSE(deltas[2].stop_token);
  EXPECT_FALSE(engine_->step());
}

TEST_F(LLMEngineTest, TheStopTokenIsDeliveredAndNamed) {
  SamplingParams stopping = params(9);
  stopping.eos_token_ids = {5};
  const auto stream = submit(stopping);
  run();
  const auto deltas = take(*stream);
  ASSERT_EQ(deltas.size(), 1u);
  EXPECT_EQ(deltas[0].token, 5);
  EXPECT_EQ(deltas[0].finish_reason, FinishReason::kStop);
  EXPECT_EQ(deltas[0].stop_token, 5);
}

TEST_F(LLMEngineTest, RefusalsAtTheDoor) {
  const auto code_of = [&](size_t prompt, const SamplingParams& p) {
    auto stream = engine_->submit(std::vector<TokenId>(prompt, 1), p);
    return stream ? std::string("taken")
                  : std::string(to_string(stream.error().code)) + " " + stream.error().param;
  };
  const std::string invalid(to_string(ErrorCode::kInvalidArgument));
  EXPECT_EQ(code_of(0, params(1)), invalid + " prompt");
  EXPECT_EQ(code_of(64, params(1)), invalid + " prompt");
  EXPECT_EQ(code_of(63, params(2)), invalid + " max_tokens");
  EXPECT_EQ(code_of(1, params(std::numeric_limits<int32_t>::max())), invalid + " max_tokens");
  EXPECT_EQ(code_of(1, params(1, 9)), invalid + " n");
  EXPECT_EQ(code_of(4, params(60, 8)), invalid + " n") << "1 + 8 x 15 blocks";
  EXPECT_EQ(code_of(63, params(1)), "taken");
}

TEST_F(LLMEngineTest, TheQueueIsBounded) {
  for (int i = 0; i < 16; ++i) submit(params(1));
  const auto refused = engine_->submit({1}, params(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("16 requests wait"));
  ASSERT_TRUE(engine_->step());  // eight run
  EXPECT_TRUE(engine_->submit({1}, params(1)));
  run();
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
}

TEST_F(LLMEngineTest, AnAbortEndsEveryContinuationAndGivesBlocksBackWithinTwoSteps) {
  const auto stream = submit(params(30, 3));
  ASSERT_TRUE(engine_->step());
  ASSERT_TRUE(engine_->step());
  EXPECT_LT(engine_->stats().num_free_blocks, 32);
  engine_->abort(stream->id());
  engine_->abort(stream->id());
  engine_->step();
  engine_->step();
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
  EXPECT_EQ(engine_->stats().kv_slots_filled, 0);
  int ended = 0;
  for (const TokenDelta& delta : take(*stream)) ended += delta.finish_reason == FinishReason::kAborted;
  EXPECT_EQ(ended, 3);
}

TEST_F(LLMEngineTest, AnAbortOfAWaitingRequestEndsIt) {
  const auto stream = submit(params(5));
  engine_->abort(stream->id());
  EXPECT_TRUE(engine_->step());
  const auto deltas = take(*stream);
  ASSERT_EQ(deltas.size(), 1u);
  EXPECT_EQ(deltas[0].token, -1);
  EXPECT_EQ(deltas[0].finish_reason, FinishReason::kAborted);
}

TEST_F(LLMEngineTest, FinishEndsOneContinuation) {
  const auto stream = submit(params(10, 2));
  ASSERT_TRUE(engine_->step());
  engine_->finish(stream->id(), 1);
  engine_->finish(stream->id(), 7);      // none such
  engine_->finish(stream->id() + 9, 0);  // nor such
  run();
  std::vector<int> tokens(2, 0);
  std::vector<FinishReason> reasons(2, FinishReason::kNone);
  for (const TokenDelta& delta : take(*stream)) {
    tokens[static_cast<size_t>(delta.index)] += delta.token >= 0;
    reasons[static_cast<size_t>(delta.index)] = delta.finish_reason;
  }
  EXPECT_THAT(tokens, ElementsAre(10, 1));
  EXPECT_THAT(reasons, ElementsAre(FinishReason::kLength, FinishReason::kStop));
}

TEST_F(LLMEngineTest, AFailedStepEndsWhatRunsAndTheEngineGoesOn) {
  build({.num_blocks = 32,
         .block_size = 4,
         .max_model_len = 64,
         .max_num_seqs = 2,
         .max_num_batched_tokens = 32});
  const auto first = submit(params(20, 2));
  const auto second = submit(params(2));
  ASSERT_TRUE(engine_->step());
  executor_->fails = true;
  run();
  int errors = 0;
  for (const TokenDelta& delta : take(*first)) errors += delta.finish_reason == FinishReason::kError;
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(take(*second).size(), 2u) << "it was waiting, and runs";
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
}

TEST_F(LLMEngineTest, SeedsComeFromTheRequestOrFromTheEngine) {
  SamplingParams seeded = params(1);
  seeded.seed = 7;
  submit(seeded);
  submit(seeded);
  submit(params(1));
  submit(params(1));
  run();
  ASSERT_EQ(executor_->seeds.size(), 4u);
  const auto seeds = executor_->seeds;
  EXPECT_EQ(seeds[0], seeds[1]);
  EXPECT_NE(seeds[2], seeds[3]);
  build(kOptions);
  submit(seeded);
  submit(seeded);
  submit(params(1));
  submit(params(1));
  run();
  EXPECT_EQ(executor_->seeds, seeds) << "the engine's seed decides";
}

TEST_F(LLMEngineTest, CountsWhatItDoes) {
  submit(params(3, 2), 9);
  run();
  const std::string text = metrics_->render();
  EXPECT_THAT(text, HasSubstr("vllm:prompt_tokens_total{} 9\n"));
  EXPECT_THAT(text, HasSubstr("vllm:generation_tokens_total{} 6\n"));
  EXPECT_THAT(text, HasSubstr("vllm:request_success_total{finished_reason=\"length\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:time_to_first_token_seconds_count{} 1\n"));
  EXPECT_THAT(text, HasSubstr("vllm:inter_token_latency_seconds_count{} 4\n"));
  EXPECT_THAT(text, HasSubstr("vllm:iteration_tokens_total_sum{} 13\n"));
  EXPECT_THAT(text, HasSubstr("vllm:kv_cache_usage_perc{} 0\n"));
  EXPECT_EQ(engine_->stats().num_steps, 3);
}

TEST_F(LLMEngineTest, GaugesFollowTheBlocks) {
  submit(params(30, 2), 6);
  ASSERT_TRUE(engine_->step());
  EXPECT_THAT(metrics_->render(), HasSubstr("vllm:num_requests_running{} 1\n"));
  EXPECT_THAT(metrics_->render(), HasSubstr("quire:kv_slots_allocated{} 8\n"));
  EXPECT_THAT(metrics_->render(), HasSubstr("quire:kv_slots_filled{} 6\n"));
  EXPECT_THAT(metrics_->render(), HasSubstr("vllm:kv_cache_usage_perc{} 0.0625\n"));
  ASSERT_TRUE(engine_->step());
  EXPECT_EQ(engine_->stats().kv_slots_allocated, 12);
  EXPECT_EQ(engine_->stats().kv_slots_filled, 4 + 3 + 3);
}

// Prefixes that are pinned in a pool of 32 blocks of 4 tokens.
class PinnedPrefixTest : public LLMEngineTest {
 protected:
  PinnedPrefixTest() {
    LLMEngineOptions options = kOptions;
    options.enable_prefix_caching = true;
    options.max_model_len = 128;
    build(options);
  }

  Expected<std::shared_ptr<RequestStream>> submit_pin(size_t num_tokens, TokenId token = 1,
                                                      TenantId tenant = 0) {
    std::vector<EngineRequest> requests(1);
    requests[0] = {.prompt = std::vector<TokenId>(num_tokens, token),
                   .params = std::make_shared<const SamplingParams>(params(1)),
                   .tenant = tenant,
                   .pins = true};
    auto streams = engine_->submit(std::move(requests));
    if (!streams) return std::unexpected(streams.error());
    return std::move(streams->front());
  }

  RequestId pin(size_t num_tokens, TokenId token = 1) {
    const auto stream = submit_pin(num_tokens, token);
    EXPECT_TRUE(stream) << stream.error().message;
    run();
    EXPECT_EQ(take(**stream).back().finish_reason, FinishReason::kLength);
    return (*stream)->id();
  }
};

TEST_F(PinnedPrefixTest, FullBlocksStayUntilTheyAreUnpinned) {
  const RequestId id = pin(18);
  EXPECT_EQ(engine_->stats().num_pinned_blocks, 4);
  EXPECT_EQ(engine_->stats().num_free_blocks, 28);
  EXPECT_THAT(metrics_->render(), HasSubstr("quire:kv_blocks_pinned{} 4\n"));
  ASSERT_EQ(engine_->pinned_prefixes(0).size(), 1u);
  EXPECT_EQ(engine_->pinned_prefixes(0)[0].num_tokens, 16);
  EXPECT_TRUE(engine_->pinned_prefixes(1).empty());
  const auto other = engine_->submit(std::vector<TokenId>(84, 9), params(28));  // the rest of the pool
  run();
  EXPECT_EQ(take(**other).size(), 28u);
  const auto longer = engine_->submit(std::vector<TokenId>(20, 1), params(1));
  run();
  EXPECT_EQ(take(**longer).back().num_cached_tokens, 16);
  EXPECT_FALSE(engine_->unpin(id, 1));
  EXPECT_TRUE(engine_->unpin(id, 0));
  EXPECT_FALSE(engine_->unpin(id, 0));
  run();
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
}

TEST_F(PinnedPrefixTest, WhoSharesIsSeenByEachOther) {
  const RequestId first = pin(16), second = pin(16);
  EXPECT_NE(first, second);
  EXPECT_EQ(engine_->stats().num_pinned_blocks, 4);
  EXPECT_EQ(engine_->pinned_prefixes(0)[1].num_cached_tokens, 12) << "a token is computed, with its block";
  engine_->unpin(first, 0);
  run();
  EXPECT_EQ(engine_->stats().num_pinned_blocks, 4);
  engine_->unpin(second, 0);
  run();
  EXPECT_EQ(engine_->stats().num_pinned_blocks, 0);
}

TEST_F(PinnedPrefixTest, AFailedStepTakesNoneAway) {
  pin(16);
  const auto lost = submit_pin(24, 2);
  executor_->fails = true;
  run();
  EXPECT_EQ(take(**lost).back().finish_reason, FinishReason::kError);
  EXPECT_EQ(engine_->pinned_prefixes(0).size(), 1u);
  EXPECT_EQ(engine_->stats().num_pinned_blocks, 4);
  const auto longer = engine_->submit(std::vector<TokenId>(20, 1), params(1));
  run();
  EXPECT_EQ(take(**longer).back().num_cached_tokens, 16);
  pin(48, 2);  // the blocks of the one that failed are claimed no more
}

TEST_F(PinnedPrefixTest, OneThatIsAbortedIsNotPinned) {
  const auto stream = submit_pin(64);
  ASSERT_TRUE(engine_->step());
  engine_->abort((*stream)->id());
  run();
  EXPECT_TRUE(engine_->pinned_prefixes(0).empty());
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
  pin(64);
}

TEST_F(PinnedPrefixTest, RefusesWhatCouldNotRunBesideIt) {
  EXPECT_THAT(submit_pin(3).error().message, HasSubstr("fills no block of 4 tokens"));
  EXPECT_THAT(submit_pin(68).error().message,
              HasSubstr("needs 17 more blocks of 4 tokens, but 0 of at most 16"));
  const auto large = engine_->submit({9, 9}, params(100));  // 26 blocks
  EXPECT_EQ(submit_pin(28).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(submit_pin(24));
  const auto refused = engine_->submit({9, 9}, params(104));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("32 blocks 6 are pinned"));
  run();
  EXPECT_EQ(take(**large).size(), 100u);
  const auto sharing =
      engine_->submit(std::vector<TokenId>(26, 1), params(102));  // 32 blocks, 6 of them there
  ASSERT_TRUE(sharing) << sharing.error().message;
  engine_->unpin(engine_->pinned_prefixes(0)[0].id, 0);
  run();
  EXPECT_EQ(take(**sharing).size(), 102u);
}

TEST_F(PinnedPrefixTest, NeedsAPrefixCache) {
  build(kOptions);
  EXPECT_EQ(submit_pin(16).error().code, ErrorCode::kUnsupported);
}

TEST_F(LLMEngineTest, DrainWithoutAThreadRunsWhatWaits) {
  const auto stream = submit(params(4));
  engine_->drain(60);
  EXPECT_EQ(take(*stream).size(), 4u);
  const auto refused = engine_->submit({1}, params(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST_F(LLMEngineTest, DestructionEndsEveryStream) {
  const auto running = submit(params(40));
  ASSERT_TRUE(engine_->step());
  const auto waiting = submit(params(40));
  engine_.reset();
  EXPECT_EQ(take(*running).back().finish_reason, FinishReason::kAborted);
  EXPECT_EQ(take(*waiting).back().finish_reason, FinishReason::kAborted);
}

// Takes everything up to the end of the stream.
std::vector<TokenDelta> wait_for_end(RequestStream& stream) {
  std::vector<TokenDelta> deltas;
  while (stream.wait(deltas)) {
  }
  return deltas;
}

TEST_F(LLMEngineTest, DrainTimesOutAndAbortsTheRest) {
  executor_->gated = true;
  engine_->start();
  const auto stream = submit(params(40));
  std::thread drainer([this] { engine_->drain(0); });
  executor_->gated = false;
  executor_->gate.release();
  drainer.join();
  const auto deltas = wait_for_end(*stream);
  ASSERT_FALSE(deltas.empty());
  EXPECT_NE(deltas.back().finish_reason, FinishReason::kNone);
  EXPECT_EQ(engine_->stats().num_free_blocks, 32);
}

TEST_F(LLMEngineTest, ManyThreadsSubmitAbortFinishAndDrain) {
  build({.num_blocks = 24,
         .block_size = 4,
         .max_model_len = 64,
         .max_num_seqs = 6,
         .max_num_batched_tokens = 16,
         .max_queue = 1000});
  engine_->start();
  std::atomic<int> whole{0}, cut{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 6; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 40; ++i) {
        const int32_t max_tokens = 1 + (client * 7 + i * 5) % 20;
        const int32_t n = 1 + i % 2;
        auto stream = engine_->submit(std::vector<TokenId>(static_cast<size_t>(1 + i % 17), 1),
                                      params(max_tokens, n));
        ASSERT_TRUE(stream) << stream.error().message;
        if (i % 5 == 1) engine_->abort((*stream)->id());
        if (i % 5 == 2) engine_->finish((*stream)->id(), 0);
        const auto deltas = wait_for_end(**stream);
        std::vector<int> tokens(static_cast<size_t>(n), 0), ends(static_cast<size_t>(n), 0);
        for (const TokenDelta& delta : deltas) {
          tokens[static_cast<size_t>(delta.index)] += delta.token >= 0;
          ends[static_cast<size_t>(delta.index)] += delta.finish_reason != FinishReason::kNone;
        }
        EXPECT_THAT(ends, Each(1));
        const bool was_cut = i % 5 == 1 || i % 5 == 2;
        if (!was_cut) {
          EXPECT_THAT(tokens, Each(max_tokens));
        }
        ++(was_cut ? cut : whole);
        (void)engine_->stats();
        if (i % 10 == 0) (void)metrics_->render();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(whole + cut, 240);
  engine_->drain(60);
  EXPECT_EQ(engine_->stats().num_free_blocks, 24);
  EXPECT_EQ(engine_->stats().num_running, 0);
  const auto refused = engine_->submit({1}, params(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace quire
