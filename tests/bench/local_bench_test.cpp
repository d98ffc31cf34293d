#include "bench/local_bench.h"

#include <gtest/gtest.h>

#include "simulate/fake_executor.h"

namespace quire {
namespace {

// A real engine on an executor without a model.
class LocalBench : public testing::Test {
 protected:
  void start(int32_t max_num_seqs) {
    const LLMEngineOptions options{.num_blocks = 256,
                                   .block_size = 16,
                                   .max_model_len = 256,
                                   .max_num_seqs = max_num_seqs,
                                   .max_num_batched_tokens = 64,
                                   .max_queue = 64,
                                   .seed = 0};
    FakeExecutorOptions fake;
    fake.num_slots = max_num_seqs;
    fake.num_blocks = options.num_blocks;
    fake.block_size = options.block_size;
    fake.max_num_batched_tokens = options.max_num_batched_tokens;
    fake.vocab_size = kVocabSize;
    engine_ = std::make_unique<LLMEngine>(options, std::make_unique<FakeExecutor>(fake), clock_, metrics_);
    engine_->start();
  }

  static constexpr int32_t kVocabSize = 500;
  SystemClock clock_;
  MetricsRegistry metrics_{""};
  std::unique_ptr<LLMEngine> engine_;
};

TEST_F(LocalBench, TimesABatch) {
  start(8);
  const auto timing =
      time_batch(*engine_, {.batch_size = 4, .input_len = 33, .output_len = 40}, kVocabSize, 1, clock_);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_GT(timing->latency_s, 0);
  EXPECT_GT(timing->prefill_tokens_per_s, 0);
  ASSERT_TRUE(timing->decode_tokens_per_s);
  EXPECT_GT(*timing->decode_tokens_per_s, 0);
}

TEST_F(LocalBench, OneTokenHasNoDecode) {
  start(8);
  const auto timing =
      time_batch(*engine_, {.batch_size = 1, .input_len = 100, .output_len = 1}, kVocabSize, 2, clock_);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_FALSE(timing->decode_tokens_per_s);
}

TEST_F(LocalBench, MoreRequestsThanSlotsHaveNoTimeTogether) {
  start(1);
  const auto timing =
      time_batch(*engine_, {.batch_size = 3, .input_len = 10, .output_len = 5}, kVocabSize, 3, clock_);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_FALSE(timing->decode_tokens_per_s);
}

TEST_F(LocalBench, PassesOnWhatTheEngineRefuses) {
  start(4);
  const auto timing =
      time_batch(*engine_, {.batch_size = 1, .input_len = 300, .output_len = 5}, kVocabSize, 4, clock_);
  ASSERT_FALSE(timing);
  EXPECT_EQ(timing.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LocalBench, CountsAWorkload) {
  start(4);
  const auto items = make_workload({.num_prompts = 20,
                                    .input_len = {.median = 12},
                                    .output_len = {.median = 6, .range_ratio = 0.5},
                                    .first_token = first_random_token(kVocabSize),
                                    .vocab_size = kVocabSize});
  int64_t expected = 0;
  for (const WorkItem& item : items) expected += item.max_tokens;
  const auto timing = time_workload(*engine_, items, clock_);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_EQ(timing->input_tokens, 240);
  EXPECT_EQ(timing->output_tokens, expected);
  EXPECT_GT(timing->elapsed_s, 0);
}

TEST(FirstRandomToken, LeavesRoomInSmallVocabularies) {
  EXPECT_EQ(first_random_token(49152), 100);
  EXPECT_EQ(first_random_token(64), 32);
}

}  // namespace
}  // namespace quire
