#include "engine/engine_loop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace quire {
namespace {

// Answers every sample with token 5.
class FiveExecutor final : public Executor {
 public:
  void submit(const StepInput& input) override {
    output_.clear();
    for (const SampleWork& sample : input.samples)
      output_.samples.push_back({.slot = sample.slot, .token = 5, .logprob = 0, .num_top = 0});
  }
  Expected<const StepOutput*> collect() override { return &output_; }

 private:
  StepOutput output_;
};

constexpr LLMEngineOptions kLoopOptions{.num_blocks = 16,
                                        .block_size = 4,
                                        .max_model_len = 32,
                                        .max_num_seqs = 4,
                                        .max_num_batched_tokens = 16,
                                        .max_queue = 8,
                                        .seed = 1};

class EngineLoopTest : public testing::Test {
 protected:
  // Sends a request for `max_tokens` tokens, as LLMEngine does.
  std::shared_ptr<RequestStream> send(RequestId id, int32_t max_tokens) {
    auto params = std::make_shared<SamplingParams>();
    params->max_tokens = max_tokens;
    auto stream = std::make_shared<RequestStream>(id, 1);
    EXPECT_TRUE(mailbox_.enter());
    mailbox_.send(AddRequests{
        {.id = id, .arrival_ns = 0, .prompt = {1, 2, 3}, .params = std::move(params), .stream = stream}});
    return stream;
  }

  static FinishReason last_reason(RequestStream& stream) {
    std::vector<TokenDelta> deltas;
    stream.poll(deltas);
    return deltas.empty() ? FinishReason::kNone : deltas.back().finish_reason;
  }

  SystemClock clock_;
  MetricsRegistry metrics_{""};
  EngineMailbox mailbox_{8};
  EngineLoop loop_{kLoopOptions, std::make_unique<FiveExecutor>(), clock_, metrics_, mailbox_};
};

TEST_F(EngineLoopTest, HasNothingToDoWithoutCommands) {
  EXPECT_FALSE(loop_.step());
  EXPECT_EQ(mailbox_.stats().num_blocks, 16);
  EXPECT_EQ(mailbox_.stats().num_steps, 0);
}

TEST_F(EngineLoopTest, ARequestLeavesNothingBehind) {
  const auto stream = send(1, 2);
  EXPECT_TRUE(loop_.step());
  EXPECT_EQ(mailbox_.stats().num_running, 1);
  EXPECT_FALSE(mailbox_.idle());
  EXPECT_TRUE(loop_.step());
  EXPECT_EQ(last_reason(*stream), FinishReason::kLength);
  EXPECT_TRUE(mailbox_.idle());
  EXPECT_EQ(mailbox_.stats().num_free_blocks, 16);
  EXPECT_FALSE(loop_.step());
  EXPECT_TRUE(loop_.check());
}

TEST_F(EngineLoopTest, AbortsAndFinishesAreObeyedBeforeTheNextStep) {
  const auto aborted = send(1, 9), finished = send(2, 9);
  loop_.step();
  mailbox_.send(AbortRequest{.id = 1});
  mailbox_.send(FinishContinuation{.id = 2, .index = 0});
  EXPECT_TRUE(loop_.step());
  EXPECT_EQ(mailbox_.stats().num_steps, 1);
  EXPECT_EQ(last_reason(*aborted), FinishReason::kAborted);
  EXPECT_EQ(last_reason(*finished), FinishReason::kStop);
}

TEST_F(EngineLoopTest, CommandsForUnknownRequestsAreHarmless) {
  const auto stream = send(1, 1);
  mailbox_.send(AbortRequest{.id = 99});
  mailbox_.send(FinishContinuation{.id = 1, .index = 5});
  mailbox_.send(FinishContinuation{.id = 1, .index = -1});
  EXPECT_TRUE(loop_.step());
  EXPECT_EQ(last_reason(*stream), FinishReason::kLength);
}

TEST_F(EngineLoopTest, AbortAllEndsThoseInTheMailboxToo) {
  const auto running = send(1, 9);
  loop_.step();
  const auto unseen = send(2, 9);
  loop_.abort_all();
  EXPECT_EQ(last_reason(*running), FinishReason::kAborted);
  EXPECT_EQ(last_reason(*unseen), FinishReason::kAborted);
  EXPECT_TRUE(mailbox_.idle());
  EXPECT_TRUE(loop_.check());
}

TEST_F(EngineLoopTest, RunsUntilItIsStopped) {
  const auto stream = send(1, 3);
  std::jthread thread([this] { loop_.run(); });
  EXPECT_TRUE(mailbox_.wait_until_idle(std::chrono::hours(1)));
  mailbox_.stop();
  thread.join();
  EXPECT_EQ(last_reason(*stream), FinishReason::kLength);
}

}  // namespace
}  // namespace quire
