// Beams by the engine on a small model, in blocks that they share, against the same search done naively:
// each beam a sequence of its own, computed from its first token on in blocks of its own.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/llm_engine.h"
#include "runtime/local_executor.h"
#include "tests/runtime/runner_fixture.h"
#include "tests/scheduler/naive_beam_search.h"

namespace quire {
namespace {

using Outputs = std::vector<std::vector<TokenId>>;

const RunnerSpec kSpec{.block_size = 8, .num_blocks = 200, .max_tokens = 64, .max_seqs = 16};

SamplingParams beams(int32_t width, int32_t max_tokens) {
  SamplingParams params;
  params.n = width;
  params.max_tokens = max_tokens;
  params.use_beam_search = true;
  params.eos_token_ids = {3};
  return params;
}

class BeamEngineTest : public testing::Test {
 protected:
  struct Running {
    std::shared_ptr<RequestStream> stream;
    int32_t num_continuations = 0;
  };

  void build(int32_t num_blocks) {
    RunnerSpec spec = kSpec;
    spec.num_blocks = num_blocks;
    engine_.reset();
    metrics_ = std::make_unique<MetricsRegistry>("");
    engine_ = std::make_unique<LLMEngine>(
        LLMEngineOptions{.num_blocks = num_blocks,
                         .block_size = kSpec.block_size,
                         .max_model_len = 128,
                         .max_num_seqs = kSpec.max_seqs,
                         .max_num_batched_tokens = static_cast<int32_t>(kSpec.max_tokens),
                         .expected_output_tokens = 0},
        std::make_unique<LocalExecutor>(open_runner(file_.path(), spec)), clock_, *metrics_);
  }

  Running submit(const std::vector<TokenId>& prompt, const SamplingParams& params) {
    auto stream = engine_->submit(prompt, params);
    EXPECT_TRUE(stream) << stream.error().message;
    return {*stream, params.num_continuations()};
  }

  void run() {
    while (engine_->step()) {
      const auto checked = engine_->check();
      ASSERT_TRUE(checked) << checked.error().message;
    }
  }

  static Outputs take(const Running& running) {
    Outputs outputs(static_cast<size_t>(running.num_continuations));
    std::vector<TokenDelta> deltas;
    EXPECT_FALSE(running.stream->poll(deltas)) << "it has not ended";
    for (const TokenDelta& delta : deltas) outputs[static_cast<size_t>(delta.index)].push_back(delta.token);
    return outputs;
  }

  Outputs run_alone(const std::vector<TokenId>& prompt, const SamplingParams& params) {
    build(kSpec.num_blocks);
    const Running running = submit(prompt, params);
    run();
    return take(running);
  }

  // The search without an engine.
  Outputs run_naively(const std::vector<TokenId>& prompt, const SamplingParams& params) {
    const auto runner = open_runner(file_.path(), kSpec);
    const auto candidates = [&](const std::vector<TokenId>& history) {
      StepWriter steps(kSpec);
      const auto size = static_cast<int32_t>(history.size());
      steps.start(0, history, params);
      steps.input.starts[0].num_prompt_tokens = static_cast<int32_t>(prompt.size());
      steps.work(0, size, true);
      const auto top = runner->run(steps.input).top;
      steps.input.clear();
      steps.end(0);
      runner->run(steps.input);
      return top;
    };
    Outputs outputs;
    for (auto& best : naive_beam_search(prompt, params, candidates)) outputs.push_back(best.tokens);
    return outputs;
  }

  const RandomModelFile file_;
  const SystemClock clock_;
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<LLMEngine> engine_;
};

TEST_F(BeamEngineTest, EqualsTheSearchWithoutSharing) {
  const std::vector<TokenId> prompt = {5, 6, 7, 8, 9, 10};
  EXPECT_EQ(run_alone(prompt, beams(4, 20)), run_naively(prompt, beams(4, 20)));

  SamplingParams processed = beams(3, 16);
  processed.best_of = 5;
  processed.length_penalty = 0.5;
  processed.early_stopping = EarlyStopping::kNever;
  processed.repetition_penalty = 1.3;
  processed.frequency_penalty = 0.4;
  processed.logit_bias = {{3, 4.0F}, {17, 2.0F}};
  processed.min_tokens = 3;
  processed.stop_token_ids = {17, 18};
  EXPECT_EQ(run_alone(prompt, processed), run_naively(prompt, processed));
}

TEST_F(BeamEngineTest, TheSameWhoeverSharesTheBatchAndThroughPreemptions) {
  std::vector<SamplingParams> requests(5);
  requests[0].temperature = 0;
  requests[1].n = 3;
  requests[1].seed = 11;
  requests[2] = beams(4, 0);
  requests[3] = beams(2, 0);
  requests[3].length_penalty = 2;
  requests[4].best_of = 2;
  requests[4].seed = 12;
  std::vector<std::vector<TokenId>> prompts;
  std::vector<Outputs> alone;
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].max_tokens = 30;
    prompts.emplace_back();
    for (TokenId token = 0; token < 9; ++token) prompts[i].push_back(20 + token + static_cast<TokenId>(i));
    alone.push_back(run_alone(prompts[i], requests[i]));
  }
  for (const int32_t num_blocks : {200, 25}) {
    build(num_blocks);
    std::vector<Running> running;
    for (size_t i = 0; i < requests.size(); ++i) running.push_back(submit(prompts[i], requests[i]));
    run();
    for (size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(take(running[i]), alone[i]) << "request " << i;
    EXPECT_EQ(engine_->stats().num_preemptions > 0, num_blocks == 25);
    EXPECT_EQ(engine_->stats().num_free_blocks, num_blocks);
  }
}

}  // namespace
}  // namespace quire
