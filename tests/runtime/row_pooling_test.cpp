#include "runtime/row_pooling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

std::vector<TokenId> random_prompt(uint64_t seed, size_t count) {
  Rng rng(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(kRandomModelMinVocab));
  return tokens;
}

SamplingParams pooled_by(Pooling pooling) {
  SamplingParams params{.max_tokens = 1, .temperature = 0};
  params.pooling = pooling;
  return params;
}

// The prompt's embedding, computed in chunks while `company` others are prefilled beside it.
std::vector<float> embed(ModelRunner& runner, const RunnerSpec& spec, const std::vector<TokenId>& prompt,
                         Pooling pooling, int32_t chunk = 1 << 20, SlotId company = 0) {
  StepWriter steps(spec);
  std::vector<float> embedding;
  for (SlotId slot = 1; slot <= company; ++slot) {
    steps.start(slot, random_prompt(static_cast<uint64_t>(slot), 200));
  }
  steps.start(0, prompt, pooled_by(pooling));
  const auto size = static_cast<int32_t>(prompt.size());
  for (int32_t done = 0; done < size;) {
    const int32_t now = std::min(chunk, size - done);
    done += now;
    for (SlotId slot = 1; slot <= company; ++slot) steps.work(slot, 1 + slot % 2, false);
    steps.work(0, now, done == size);
    const StepOutput& output = runner.run(steps.input);
    EXPECT_EQ(output.embeddings.size(), done == size ? 1 : 0);
    if (done == size) {
      EXPECT_EQ(output.samples[0].token, -1);
      EXPECT_EQ(output.samples[0].embedding, 0);
      embedding = output.embeddings[0];
    }
    steps.input.clear();
  }
  for (SlotId slot = 0; slot <= company; ++slot) steps.end(slot);
  runner.run(steps.input);
  return embedding;
}

std::vector<float> embedding_table(const std::string& path) {
  const auto file = GgufFile::open(path);
  const GgufTensor* tensor = file->find_tensor("token_embd.weight");
  EXPECT_EQ(tensor->dtype, DType::kF32);
  std::vector<float> table(tensor->bytes.size() / sizeof(float));
  std::memcpy(table.data(), tensor->bytes.data(), tensor->bytes.size());
  return table;
}

// The head's product is what turns the last hidden state into logits, which golden tests hold against
// another implementation.
TEST(RowPoolingTest, TheLastHiddenStateGivesTheLogits) {
  const RandomModelFile file({.matrix_dtype = DType::kF32, .embedding_dtype = DType::kF32});
  const RunnerSpec spec{.int8_activations = false, .kv_dtype = KvDType::kF32};
  const auto runner = open_runner(file.path(), spec);
  const std::vector<float> table = embedding_table(file.path());
  const auto prompt = random_prompt(1, 37);
  const std::vector<float> hidden = embed(*runner, spec, prompt, Pooling::kLast);

  const size_t vocab = table.size() / hidden.size();
  std::vector<double> logits(vocab);
  double sum = 0;
  for (size_t token = 0; token < vocab; ++token) {
    for (size_t k = 0; k < hidden.size(); ++k)
      logits[token] += double{table[token * hidden.size() + k]} * hidden[k];
    sum += std::exp(logits[token]);
  }
  StepWriter steps(spec);
  steps.start(0, prompt, {.temperature = 0, .logprobs = 20});
  steps.work(0, 37, true);
  const StepOutput& output = runner->run(steps.input);
  ASSERT_EQ(output.top.size(), 20);
  for (const TokenLogprob& top : output.top) {
    EXPECT_NEAR(logits[static_cast<size_t>(top.token)] - std::log(sum), top.logprob, 1e-4);
  }
}

TEST(RowPoolingTest, TheMeanIsOfTheLastOnesOfAllPrefixes) {
  const RandomModelFile file;
  for (const bool fuse : {true, false}) {
    const RunnerSpec spec{.fuse = fuse};
    const auto runner = open_runner(file.path(), spec);
    const auto prompt = random_prompt(2, 45);
    std::vector<double> sums(64);
    for (auto end = prompt.begin(); end != prompt.end();) {
      const auto last = embed(*runner, spec, {prompt.begin(), ++end}, Pooling::kLast);
      ASSERT_EQ(last.size(), sums.size());
      for (size_t k = 0; k < sums.size(); ++k) sums[k] += last[k];
    }
    std::vector<float> mean;
    for (const double sum : sums) mean.push_back(static_cast<float>(sum / 45));
    EXPECT_EQ(embed(*runner, spec, prompt, Pooling::kMean), mean);
    EXPECT_EQ(embed(*runner, spec, prompt, Pooling::kCls),
              embed(*runner, spec, {prompt.front()}, Pooling::kLast));
  }
}

TEST(RowPoolingTest, TheSameBitsHoweverThePromptIsCutAndWhoeverIsBeside) {
  const RandomModelFile file;
  const RunnerSpec spec{.threads = 2};
  const RunnerSpec alone{.threads = 1};
  const auto runner = open_runner(file.path(), spec);
  const auto single = open_runner(file.path(), alone);
  const auto prompt = random_prompt(3, 83);
  for (const Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kLast}) {
    const auto whole = embed(*single, alone, prompt, pooling);
    for (const int32_t chunk : {1, 7, 16, 33, 83}) {
      EXPECT_EQ(embed(*runner, spec, prompt, pooling, chunk), whole) << "chunks of " << chunk;
      EXPECT_EQ(embed(*runner, spec, prompt, pooling, chunk, 5), whole)
          << "chunks of " << chunk << ", in company";
    }
  }
}

}  // namespace
}  // namespace quire
