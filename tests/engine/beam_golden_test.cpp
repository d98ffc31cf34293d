// Beams against what `generate` of Hugging Face's transformers 5.23.0 (PyTorch 2.15.0, float32) returned for
// the same random model, read from the same GGUF file: prompt 5 to 10, max_new_tokens 20,
// num_return_sequences equal to num_beams, the rest as below. What follows a stop token is padding there and
// was cut off.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/llm_engine.h"
#include "runtime/local_executor.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

struct GoldenSearch {
  int32_t num_beams = 0;
  double length_penalty = 0;
  EarlyStopping early_stopping = EarlyStopping::kFalse;
  std::vector<TokenId> stop_tokens;
  std::vector<std::vector<TokenId>> best;
};

std::vector<GoldenSearch> golden_searches() {
  // clang-format off
  return {
    {2, 1, EarlyStopping::kFalse, {74},
     {{477, 477, 477, 477, 477, 425, 491, 244, 339, 92, 273, 62, 74},
      {477, 477, 477, 477, 477, 425, 337, 92, 74}}},
    {4, 1, EarlyStopping::kTrue, {74, 339},
     {{477, 477, 477, 244, 339},
      {477, 477, 477, 477, 425, 337, 74},
      {477, 477, 477, 477, 477, 425, 491, 244, 339},
      {477, 477, 477, 477, 477, 425, 337, 92, 74}}},
    {4, 1, EarlyStopping::kFalse, {74, 339},
     {{477, 477, 477, 244, 339},
      {477, 477, 477, 477, 425, 337, 74},
      {477, 477, 477, 477, 477, 425, 491, 244, 339},
      {477, 477, 477, 313, 92, 97, 477, 92, 273, 62, 244, 74}}},
    {4, 1, EarlyStopping::kNever, {74, 339},
     {{477, 477, 477, 244, 339},
      {477, 477, 477, 477, 425, 337, 74},
      {477, 477, 477, 477, 477, 425, 491, 244, 339},
      {477, 477, 477, 313, 92, 97, 477, 92, 273, 62, 244, 74}}},
    {3, 2, EarlyStopping::kFalse, {225, 92, 187},
     {{477, 477, 477, 477, 425, 337, 74, 477, 74, 477, 425, 74, 477, 74, 477, 74, 244, 74, 244, 74},
      {477, 477, 477, 477, 425, 337, 74, 477, 74, 477, 425, 74, 477, 74, 477, 74, 244, 74, 74, 74},
      {477, 477, 477, 477, 425, 337, 74, 477, 74, 477, 425, 74, 477, 74, 477, 74, 244, 74, 74, 244}}},
    {3, 0, EarlyStopping::kNever, {225, 92, 187},
     {{92},
      {477, 477, 477, 313, 92},
      {477, 477, 477, 477, 477, 92}}},
    {6, 0.5, EarlyStopping::kFalse, {10, 74, 234},
     {{477, 477, 477, 244, 339, 92, 273, 74},
      {477, 477, 477, 244, 339, 92, 273, 244, 234},
      {477, 477, 477, 244, 339, 92, 225, 187, 477, 313, 92, 273, 74},
      {477, 477, 477, 244, 339, 92, 225, 187, 477, 313, 92, 273, 244, 74},
      {477, 477, 477, 244, 339, 92, 225, 187, 477, 313, 92, 273, 244, 247, 74},
      {477, 477, 477, 244, 339, 92, 225, 187, 477, 313, 92, 273, 244, 335, 74}}},
    {5, -1, EarlyStopping::kFalse, {74, 187},
     {{477, 477, 477, 244, 339, 92, 273, 74},
      {477, 477, 477, 244, 339, 92, 225, 187},
      {477, 477, 477, 244, 339, 92, 273, 244, 234, 74},
      {477, 477, 477, 244, 339, 92, 273, 244, 234, 375, 225, 187},
      {477, 477, 477, 244, 339, 92, 273, 244, 234, 375, 477, 275, 187}}},
    {2, 1, EarlyStopping::kNever, {10, 74, 234, 92, 187},
     {{477, 477, 477, 477, 477, 92},
      {477, 477, 477, 477, 425, 337, 92}}},
    {4, 3, EarlyStopping::kNever, {273, 225},
     {{477, 477, 477, 244, 339, 92, 97, 68, 318, 92, 136, 268, 97, 109, 187, 187, 187, 187, 187, 273},
      {477, 477, 477, 244, 339, 92, 97, 68, 318, 92, 136, 268, 97, 109, 187, 187, 187, 187, 187, 187},
      {477, 477, 477, 244, 339, 92, 97, 68, 318, 92, 136, 268, 97, 109, 187, 187, 187, 187, 187, 477},
      {477, 477, 477, 244, 339, 92, 97, 68, 318, 92, 136, 268, 97, 109, 187, 187, 187, 187, 187, 217}}},
  };
  // clang-format on
}

const RandomModelSpec kGoldenModel{
    .matrix_dtype = DType::kF32, .embedding_dtype = DType::kF32, .tied = false, .seed = 20};
const RunnerSpec kGoldenSpec{
    .int8_activations = false, .kv_dtype = KvDType::kF32, .block_size = 8, .num_blocks = 64};

TEST(BeamGoldenTest, EqualsTransformers) {
  const RandomModelFile file(kGoldenModel);
  const SystemClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine({.num_blocks = kGoldenSpec.num_blocks,
                    .block_size = kGoldenSpec.block_size,
                    .max_model_len = 64,
                    .max_num_seqs = kGoldenSpec.max_seqs,
                    .max_num_batched_tokens = kGoldenSpec.max_tokens},
                   std::make_unique<LocalExecutor>(open_runner(file.path(), kGoldenSpec)), clock, metrics);
  for (const GoldenSearch& golden : golden_searches()) {
    SamplingParams params;
    params.use_beam_search = true;
    params.n = golden.num_beams;
    params.max_tokens = 20;
    params.length_penalty = golden.length_penalty;
    params.early_stopping = golden.early_stopping;
    params.stop_token_ids = golden.stop_tokens;
    const auto stream = engine.submit({5, 6, 7, 8, 9, 10}, params);
    ASSERT_TRUE(stream) << stream.error().message;
    while (engine.step()) {
    }
    std::vector<TokenDelta> deltas;
    EXPECT_FALSE((*stream)->poll(deltas));
    std::vector<std::vector<TokenId>> best(static_cast<size_t>(golden.num_beams));
    for (const TokenDelta& delta : deltas) best[static_cast<size_t>(delta.index)].push_back(delta.token);
    EXPECT_EQ(best, golden.best) << golden.num_beams << " beams, length_penalty " << golden.length_penalty;
  }
}

}  // namespace
}  // namespace quire
