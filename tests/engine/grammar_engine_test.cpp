// Constrained outputs on a tiny random model: valid, and the same whatever memory there is.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "engine/engine_handle.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

struct ConstrainedOutput {
  std::vector<TokenId> tokens;
  FinishReason reason = FinishReason::kNone;
  bool operator==(const ConstrainedOutput&) const = default;
};
using ConstrainedOutputs = std::map<int32_t, ConstrainedOutput>;  // by continuation

ConstrainedOutputs wait_outputs(RequestStream& stream) {
  ConstrainedOutputs outputs;
  std::vector<TokenDelta> deltas;
  const auto take = [&] {
    for (const TokenDelta& delta : deltas) {
      ConstrainedOutput& output = outputs[delta.index];
      if (delta.token >= 0) output.tokens.push_back(delta.token);
      if (delta.finish_reason != FinishReason::kNone) output.reason = delta.finish_reason;
    }
    deltas.clear();
  };
  while (stream.wait(deltas)) take();
  take();
  return outputs;
}

// That the grammar accepts it, to its end if it ended by itself.
void expect_valid(const std::shared_ptr<const CompiledGrammar>& grammar, const ConstrainedOutput& output) {
  GrammarMatcher matcher(grammar);
  for (const TokenId token : output.tokens) ASSERT_TRUE(matcher.accept(token));
  EXPECT_EQ(output.reason, FinishReason::kStop);
  EXPECT_TRUE(matcher.terminated());
}

TEST(GrammarEngine, OutputsAreTheSameThroughForksBeamsAndPreemptions) {
  const RandomModelFile model;
  const SystemClock clock;
  MetricsRegistry metrics("");
  const auto open = [&](EngineConfig config) {
    config.model = model.path();
    config.threads = 2;
    return open_engine(config, clock, metrics);
  };
  const std::vector<SamplingParams> kinds{
      {.max_tokens = 110, .temperature = 0},
      {.n = 3, .max_tokens = 110, .temperature = 1.2, .seed = 3},
      {.n = 2, .max_tokens = 110, .temperature = 0, .use_beam_search = true},
  };
  // The first answers alone and with all memory; the others together in a fraction of what they need.
  const int64_t block = 2 * 2 * 2 * 16 * 16 * 2;  // layers, k and v, KV heads, dimensions, tokens, bytes
  const std::vector<EngineConfig> configs{
      {.max_num_seqs = 4},
      {.max_num_seqs = 24},
      {.max_num_seqs = 24,
       .kv_cache_memory_bytes = 32 * block,
       .preemption_mode = "recompute",
       .expected_output_tokens = 0},
      {.max_num_seqs = 24,
       .kv_cache_memory_bytes = 32 * block,
       .preemption_mode = "swap",
       .expected_output_tokens = 0},
  };
  std::vector<ConstrainedOutputs> alone;
  for (const EngineConfig& config : configs) {
    auto handle = open(config);
    ASSERT_TRUE(handle) << handle.error().message;
    const auto grammar = handle->grammars->compile(
        {.kind = GrammarKind::kRegex, .text = "([a-h][0-9] ){20,32}end", .field = "f"});
    ASSERT_TRUE(grammar) << grammar.error().message;
    std::vector<ConstrainedOutputs> outputs;
    std::vector<std::shared_ptr<RequestStream>> streams;
    for (TokenId i = 0; i < 9; ++i) {
      SamplingParams params = kinds[static_cast<size_t>(i) % kinds.size()];
      params.grammar = *grammar;
      params.eos_token_ids = handle->eos_token_ids;
      const auto stream = handle->engine->submit({100, 101, 102, 103, 104, 105, 110 + i}, params);
      ASSERT_TRUE(stream) << stream.error().message;
      streams.push_back(*stream);
      if (alone.empty()) outputs.push_back(wait_outputs(**stream));
    }
    if (alone.empty()) {
      alone = std::move(outputs);
      for (const auto& request : alone) {
        for (const auto& [index, output] : request) expect_valid(*grammar, output);
      }
      continue;
    }
    for (size_t i = 0; i < streams.size(); ++i) {
      EXPECT_EQ(wait_outputs(*streams[i]), alone[i]) << "request " << i << ", " << config.preemption_mode;
    }
    EXPECT_EQ(handle->engine->stats().num_preemptions > 0, config.kv_cache_memory_bytes.has_value());
  }
}

}  // namespace
}  // namespace quire
