#include "runtime/model_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "base/rng.h"
#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

std::vector<TokenId> random_tokens(uint64_t seed, size_t count) {
  Rng rng(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(kRandomModelMinVocab));
  return tokens;
}

// Log-probabilities are the finest thing a step shows: the same bits there mean the same bits in the
// logits.
std::vector<float> prompt_logprobs(ModelRunner& runner, const RunnerSpec& spec,
                                   const std::vector<TokenId>& tokens, int32_t chunk) {
  StepWriter steps(spec);
  steps.start(0, tokens, {.prompt_logprobs = 3});
  std::vector<float> out;
  const auto size = static_cast<int32_t>(tokens.size());
  for (int32_t done = 0; done < size;) {
    const int32_t now = std::min({chunk, size - done, spec.max_tokens});
    steps.work(0, now, false, 0);
    const StepOutput& output = runner.run(steps.input);
    for (const PromptLogprob& token : output.prompt_logprobs) out.push_back(token.logprob);
    for (const TokenLogprob& token : output.prompt_top) out.push_back(token.logprob);
    steps.input.clear();
    done += now;
  }
  steps.end(0);
  runner.run(steps.input);
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    if (kernels_for(isa) != nullptr) {
      names.emplace_back(to_string(isa));
    } else {
      std::printf("skipped: this CPU has no %s\n", std::string(to_string(isa)).c_str());
    }
  }
  return names;
}

// What one more thread takes: of that, only the sampler's scratch depends on the vocabulary.
int64_t workspace_of_a_thread(int32_t vocab) {
  const RandomModelFile file({.vocab = vocab});
  const auto opened = GgufFile::open(file.path());
  const KernelTable& kernels = *kernels_for(Isa::kScalar);
  const auto model = compile_model(*opened, kernels, {.limits = {.max_tokens = 16, .max_selected = 4}});
  if (!model) {
    ADD_FAILURE() << model.error().message;
    return 0;
  }
  return runner_workspace_bytes(*model, kernels, {.num_threads = 3}) -
         runner_workspace_bytes(*model, kernels, {.num_threads = 2});
}

TEST(ModelRunner, TheWorkspaceHasTheSamplersScratch) {
  EXPECT_EQ(workspace_of_a_thread(4096) - workspace_of_a_thread(1024),
            3072 * (4 + 2 * 16 + 4 + 8) + 6 * (8 + 4));
}

TEST(ModelRunner, FusionChangesNoBit) {
  for (const DType dtype :
       {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kF16, DType::kBF16, DType::kF32}) {
    const RandomModelFile model({.matrix_dtype = dtype, .embedding_dtype = dtype});
    const auto tokens = random_tokens(1, 75);
    for (const std::string& isa : available_isas()) {
      RunnerSpec spec{.isa = isa};
      const auto fused = open_runner(model.path(), spec);
      spec.fuse = false;
      const auto plain = open_runner(model.path(), spec);
      EXPECT_EQ(prompt_logprobs(*fused, spec, tokens, 40), prompt_logprobs(*plain, spec, tokens, 40))
          << isa << " " << to_string(dtype);
    }
  }
}

TEST(ModelRunner, NeitherChunksNorThreadsChangeABit) {
  const RandomModelFile model({.heads = 6, .kv_heads = 2, .ff = 160});
  const auto tokens = random_tokens(2, 200);
  for (const std::string& isa : available_isas()) {
    std::vector<float> expected;
    for (const int threads : {1, 2, 3}) {
      const RunnerSpec spec{.isa = isa, .threads = threads};
      const auto runner = open_runner(model.path(), spec);
      for (const int32_t chunk : {200, 64, 7, 1}) {
        const auto found = prompt_logprobs(*runner, spec, tokens, chunk);
        if (expected.empty()) expected = found;
        ASSERT_EQ(found, expected) << isa << ", " << threads << " threads, chunks of " << chunk;
      }
    }
  }
}

TEST(ModelRunner, TheSameTokensWhoeverSharesTheBatch) {
  const RandomModelFile model;
  const RunnerSpec spec{.max_tokens = 256};
  const auto runner = open_runner(model.path(), spec);
  std::vector<std::vector<TokenId>> prompts, alone;
  for (uint64_t i = 0; i < 32; ++i) prompts.push_back(random_tokens(i, 1 + i * 5 % 60));
  for (const auto& prompt : prompts) alone.push_back(generate(*runner, spec, prompt, 20));
  // All together: each enters a step after the one before, while the others decode.
  StepWriter steps(spec);
  std::vector<std::vector<TokenId>> together(prompts.size());
  for (size_t step = 0; step < prompts.size() + 20; ++step) {
    for (size_t i = 0; i < std::min(step, prompts.size()); ++i) {
      if (together[i].size() < 20) steps.work(static_cast<SlotId>(i), 1, true);
    }
    if (step < prompts.size()) {
      steps.start(static_cast<SlotId>(step), prompts[step]);
      steps.work(static_cast<SlotId>(step), static_cast<int32_t>(prompts[step].size()), true);
    }
    for (const SampledToken& sample : runner->run(steps.input).samples) {
      together[static_cast<size_t>(sample.slot)].push_back(sample.token);
    }
    steps.input.clear();
  }
  EXPECT_EQ(together, alone);
}

TEST(ModelRunner, KvTypesAgreeCloselyAndBlockSizesExactly) {
  const RandomModelFile model;
  const auto tokens = random_tokens(3, 150);
  std::map<KvDType, std::vector<float>> by_type;
  for (const KvDType dtype : {KvDType::kF32, KvDType::kF16, KvDType::kBF16, KvDType::kInt8}) {
    for (const int32_t block_size : {8, 16, 32, 64, 128}) {
      const RunnerSpec spec{.kv_dtype = dtype, .block_size = block_size};
      const auto runner = open_runner(model.path(), spec);
      const auto found = prompt_logprobs(*runner, spec, tokens, 50);
      if (by_type[dtype].empty()) by_type[dtype] = found;
      ASSERT_EQ(found, by_type[dtype]) << to_string(dtype) << " " << block_size;
    }
  }
  const auto worst = [&](KvDType dtype) {
    float difference = 0;
    for (size_t i = 0; i < by_type[dtype].size(); ++i) {
      difference = std::max(difference, std::abs(by_type[dtype][i] - by_type[KvDType::kF32][i]));
    }
    return difference;
  };
  EXPECT_LT(worst(KvDType::kF16), 0.1F);
  EXPECT_LT(worst(KvDType::kBF16), 0.5F);
  EXPECT_LT(worst(KvDType::kInt8), 0.5F);
}

TEST(ModelRunner, RefusesBlocksThatKernelsDoNotTake) {
  const RandomModelFile model;
  const auto file = GgufFile::open(model.path());
  const KernelTable& kernels = **select_kernels("");
  for (const int32_t block_size : {0, 1, 4, 7}) {
    auto compiled = compile_model(*file, kernels, {.limits = {.max_tokens = 16, .max_selected = 4}});
    ASSERT_TRUE(compiled) << compiled.error().message;
    const auto runner = ModelRunner::create(*file, std::move(*compiled), kernels,
                                            {.num_blocks = 8, .block_size = block_size});
    ASSERT_FALSE(runner);
    EXPECT_EQ(runner.error().param, "block_size");
  }
}

TEST(ModelRunner, InstructionSetsAgreeWithScalar) {
  const RandomModelFile model;
  const auto tokens = random_tokens(4, 64);
  const RunnerSpec scalar{.isa = "scalar", .kv_dtype = KvDType::kF32};
  const auto expected = prompt_logprobs(*open_runner(model.path(), scalar), scalar, tokens, 64);
  for (const std::string& isa : available_isas()) {
    const RunnerSpec spec{.isa = isa, .kv_dtype = KvDType::kF32};
    const auto found = prompt_logprobs(*open_runner(model.path(), spec), spec, tokens, 64);
    ASSERT_EQ(found.size(), expected.size());
    // A sum that rounds to another int8 step shifts a logit by about a hundredth.
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 0.1) << isa;
  }
}

TEST(ModelRunner, AForkSamplesFromItsParentsLogitsAndGoesOnAlone) {
  const RandomModelFile model;
  const RunnerSpec spec;
  const auto runner = open_runner(model.path(), spec);
  const auto prompt = random_tokens(5, 20);
  const auto expected = generate(*runner, spec, prompt, 12);
  StepWriter steps(spec);
  steps.start(0, prompt);
  steps.work(0, 20, true);
  steps.input.forks.push_back({.parent = 0, .child = 3, .seed = 9, .num_tokens = 20, .tokens = {}});
  steps.input.samples.push_back({0, 3});
  const StepOutput& first = runner->run(steps.input);
  ASSERT_EQ(first.samples.size(), 2U);
  EXPECT_EQ(first.samples[1].slot, 3);
  EXPECT_EQ(first.samples[1].token, expected[0]);
  steps.input.clear();
  // The child's next token goes into the shared block 1, of which it first gets a copy.
  std::vector<TokenId> child{expected[0]};
  for (int step = 1; step < 12; ++step) {
    if (step == 1) steps.input.copies.push_back({.source = 1, .target = 100, .slot = 3, .index = 1});
    steps.work(0, 1, true);
    steps.input.work.push_back({.slot = 3, .first_position = 19 + step, .num_tokens = 1});
    if ((19 + step) % 16 == 0) {
      steps.input.work.back().new_blocks = 1;
      steps.input.block_ids.push_back(100 + step);
    }
    steps.input.samples.push_back({1, 3});
    const StepOutput& output = runner->run(steps.input);
    EXPECT_EQ(output.samples[0].token, expected[static_cast<size_t>(step)]);
    child.push_back(output.samples[1].token);
    steps.input.clear();
  }
  EXPECT_EQ(child, expected);
}

TEST(ModelRunner, PromptLogprobsOfMoreRowsThanAChunkComeInOrder) {
  const RandomModelFile model;
  const RunnerSpec spec{.max_seqs = 4};
  const auto runner = open_runner(model.path(), spec);
  const auto tokens = random_tokens(6, 90);
  StepWriter steps(spec);
  steps.start(0, tokens, {.temperature = 0, .logprobs = 2, .prompt_logprobs = 2});
  steps.work(0, 90, true, 0);
  const StepOutput& output = runner->run(steps.input);
  ASSERT_EQ(output.prompt_logprobs.size(), 89U);
  ASSERT_EQ(output.prompt_top.size(), 2 * 89U);
  for (int32_t i = 0; i < 89; ++i) {
    const PromptLogprob& token = output.prompt_logprobs[static_cast<size_t>(i)];
    EXPECT_EQ(token.position, i + 1);
    EXPECT_EQ(token.token, tokens[static_cast<size_t>(i) + 1]);
    EXPECT_LE(token.logprob, output.prompt_top[static_cast<size_t>(2 * i)].logprob);
  }
  ASSERT_EQ(output.samples.size(), 1U);
  EXPECT_EQ(output.top[0].token, output.samples[0].token) << "greedy takes the most likely";
  EXPECT_FLOAT_EQ(output.top[0].logprob, output.samples[0].logprob);
}

}  // namespace
}  // namespace quire
