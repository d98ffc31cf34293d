// A hundred requests at once into a pool of a tenth of what they need: all must end with little computed
// twice, whichever way preempted ones come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "engine/llm_engine.h"
#include "simulate/fake_executor.h"

namespace quire {
namespace {

struct Shape {
  const char* name = "";
  int32_t min_prompt = 0, max_prompt = 0;
  int32_t min_output = 0, max_output = 0;
  bool stops = false;  // outputs end long before max_tokens, at places that nobody knows
  int32_t n = 1;
};

constexpr Shape kShapes[] = {
    {"chat", 20, 300, 20, 250},
    {"long outputs, short prompts", 8, 32, 100, 400},
    {"outputs beyond all expectation", 8, 64, 600, 700},
    {"long prompts, short outputs", 200, 400, 4, 32},
    {"all alike", 64, 64, 192, 192},
    {"ends unknown", 20, 120, 400, 400, true},
    {"three continuations", 40, 120, 50, 200, false, 3},
};
constexpr int32_t kBlockSize = 16;
constexpr int kNumRequests = 100;

struct Work {
  int64_t num_tokens = 0;
  PreemptionCounts preemptions;
  std::vector<std::vector<TokenId>> outputs;  // of each request's first continuation
};

struct Burst {
  std::vector<std::vector<TokenId>> prompts;
  std::vector<SamplingParams> params;
  int64_t num_blocks_needed = 0;  // by all of them at once
};

Burst draw_burst(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  const auto draw = [&](int32_t low, int32_t high) {
    return low + static_cast<int32_t>(rng.below(static_cast<uint64_t>(high - low) + 1));
  };
  Burst burst;
  for (int i = 0; i < kNumRequests; ++i) {
    const int32_t num_prompt = draw(shape.min_prompt, shape.max_prompt);
    std::vector<TokenId>& prompt = burst.prompts.emplace_back();
    for (int32_t p = 0; p < num_prompt; ++p) prompt.push_back(draw(2, 1000));
    SamplingParams& params = burst.params.emplace_back();
    params.max_tokens = draw(shape.min_output, shape.max_output);
    params.n = shape.n;
    params.ignore_eos = !shape.stops;
    if (shape.stops) params.eos_token_ids = {0};
    params.seed = static_cast<int64_t>(rng());
    burst.num_blocks_needed += (num_prompt + shape.n * params.max_tokens) / kBlockSize + 1;
  }
  return burst;
}

// The unknown ends come with one token of 128, so outputs have 126 tokens in the mean.
Work run(const Burst& burst, int64_t num_blocks, PreemptionMode mode, uint64_t seed) {
  const LLMEngineOptions options{.num_blocks = static_cast<int32_t>(num_blocks),
                                 .block_size = kBlockSize,
                                 .max_model_len = 1024,
                                 .max_num_seqs = 400,
                                 .max_num_batched_tokens = 512,
                                 .num_swap_slots = mode == PreemptionMode::kSwap ? 10'000 : 0,
                                 .preemption_mode = mode};
  ManualClock clock;
  MetricsRegistry metrics("");
  auto owned = std::make_unique<FakeExecutor>(FakeExecutorOptions{
      .num_slots = options.max_num_seqs,
      .num_blocks = options.num_blocks,
      .block_size = options.block_size,
      .max_num_batched_tokens = options.max_num_batched_tokens,
      .vocab_size = 128,
      .clock = &clock,
      .swap = {.num_slots = options.num_swap_slots, .max_delay_steps = 2, .seed = seed}});
  const FakeExecutor& executor = *owned;
  LLMEngine engine(options, std::move(owned), clock, metrics);
  std::vector<std::shared_ptr<RequestStream>> streams;
  for (size_t i = 0; i < burst.prompts.size(); ++i) {
    auto stream = engine.submit(burst.prompts[i], burst.params[i]);
    EXPECT_TRUE(stream);
    streams.push_back(*stream);
  }
  int64_t num_steps = 0;
  while (engine.step() && ++num_steps < 1'000'000) {
  }
  EXPECT_LT(num_steps, 1'000'000) << "no end";
  EXPECT_EQ(executor.violation(), "");
  EXPECT_EQ(engine.stats().num_free_blocks, num_blocks);
  Work work{.num_tokens = executor.num_tokens_computed(),
            .preemptions = engine.stats().preemptions,
            .outputs = {}};
  for (const auto& stream : streams) {
    std::vector<TokenDelta> deltas;
    stream->poll(deltas);
    std::vector<TokenId>& output = work.outputs.emplace_back();
    for (const TokenDelta& delta : deltas) {
      if (delta.index == 0 && delta.token >= 0) output.push_back(delta.token);
    }
  }
  return work;
}

TEST(Burst, ATenthOfThePoolCostsLittleTwice) {
  for (const Shape& shape : kShapes) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(std::string(shape.name) + ", seed " + std::to_string(seed));
      const Burst burst = draw_burst(shape, seed);
      const Work free = run(burst, burst.num_blocks_needed, PreemptionMode::kRecompute, seed);
      ASSERT_EQ(free.preemptions.total(), 0);
      for (const PreemptionMode mode : {PreemptionMode::kRecompute, PreemptionMode::kSwap}) {
        const Work tight = run(burst, std::max<int64_t>(burst.num_blocks_needed / 10, 64), mode, seed);
        EXPECT_EQ(tight.outputs, free.outputs);
        EXPECT_LE(static_cast<double>(tight.num_tokens), 1.25 * static_cast<double>(free.num_tokens));
        EXPECT_LE(tight.preemptions.num_thrashes * 50, kNumRequests);
        if (std::getenv("QUIRE_SHOW") != nullptr) {
          std::printf("%-32s %s: %.3f of the work, %ld preemptions, %ld swapped, %ld thrashes\n",
                      shape.name, mode == PreemptionMode::kSwap ? "swap" : "recompute",
                      static_cast<double>(tight.num_tokens) / static_cast<double>(free.num_tokens),
                      tight.preemptions.total(), tight.preemptions.num_swapped,
                      tight.preemptions.num_thrashes);
        }
      }
    }
  }
}

}  // namespace
}  // namespace quire
