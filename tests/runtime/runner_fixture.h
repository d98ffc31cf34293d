// A ModelRunner on a model file, driven by hand: sequences are put into slots with blocks of their own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/compiled_model.h"
#include "runtime/model_runner.h"
#include "tests/base/temp_folder.h"
#include "weights/random_model.h"

namespace quire {

struct RunnerSpec {
  std::string isa = {};  // empty: the best
  bool int8_activations = true;
  bool fuse = true;
  KvDType kv_dtype = KvDType::kF16;
  int threads = 2;
  int32_t block_size = 16;
  int32_t num_blocks = 512;
  int32_t max_tokens = 512;
  int32_t max_seqs = 32;
};

inline std::unique_ptr<ModelRunner> open_runner(const std::string& path, const RunnerSpec& spec = {}) {
  const auto file = GgufFile::open(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return nullptr;
  }
  const auto kernels = select_kernels(spec.isa);
  if (!kernels) {
    ADD_FAILURE() << kernels.error().message;
    return nullptr;
  }
  auto model = compile_model(*file, **kernels,
                             {.limits = {spec.max_tokens, std::min<int64_t>(spec.max_seqs, kMaxLogitRows)},
                              .int8_activations = spec.int8_activations,
                              .fuse = spec.fuse});
  if (!model) {
    ADD_FAILURE() << model.error().message;
    return nullptr;
  }
  auto runner = ModelRunner::create(*file, std::move(*model), **kernels,
                                    {.num_blocks = spec.num_blocks,
                                     .block_size = spec.block_size,
                                     .kv_dtype = spec.kv_dtype,
                                     .max_num_seqs = spec.max_seqs,
                                     .num_threads = spec.threads});
  if (!runner) {
    ADD_FAILURE() << runner.error().message;
    return nullptr;
  }
  return std::move(*runner);
}

// Writes steps for a runner as a scheduler would: one block table a slot, blocks never shared.
class StepWriter {
 public:
  explicit StepWriter(const RunnerSpec& spec)
      : block_size_(spec.block_size), slots_(static_cast<size_t>(spec.max_seqs)) {}

  StepInput input;

  void start(SlotId slot, std::vector<TokenId> tokens, SamplingParams params = {.temperature = 0}) {
    State& state = slots_[static_cast<size_t>(slot)];
    state = {.computed = 0, .blocks = 0};
    const auto prompt = static_cast<int32_t>(tokens.size());
    input.starts.push_back(
        {slot, std::move(tokens), prompt, 7, std::make_shared<SamplingParams>(std::move(params))});
  }

  // Computes the next `count` tokens of the slot; samples after them if asked.
  void work(SlotId slot, int32_t count, bool sample, int32_t prompt_logprobs_from = -1) {
    State& state = slots_[static_cast<size_t>(slot)];
    RowWork row{.slot = slot, .first_position = state.computed, .num_tokens = count};
    row.prompt_logprobs_from = prompt_logprobs_from;
    state.computed += count;
    for (; state.blocks * block_size_ < state.computed; ++state.blocks, ++row.new_blocks) {
      input.block_ids.push_back(next_block_++);
    }
    if (sample) input.samples.push_back({static_cast<int32_t>(input.work.size()), slot});
    input.work.push_back(row);
  }

  void end(SlotId slot) { input.ends.push_back(slot); }

 private:
  struct State {
    int32_t computed = 0;
    int32_t blocks = 0;
  };
  int32_t block_size_;
  BlockId next_block_ = 0;
  std::vector<State> slots_;
};

// Prompt and greedy continuation of one sequence that is alone, its prompt in chunks of `chunk`.
inline std::vector<TokenId> generate(ModelRunner& runner, const RunnerSpec& spec,
                                     const std::vector<TokenId>& prompt, int32_t count,
                                     int32_t chunk = 1 << 20) {
  StepWriter steps(spec);
  std::vector<TokenId> out;
  steps.start(0, prompt);
  const auto size = static_cast<int32_t>(prompt.size());
  for (int32_t done = 0; done < size;) {
    const int32_t now = std::min({chunk, size - done, spec.max_tokens});
    done += now;
    steps.work(0, now, done == size);
    const StepOutput& output = runner.run(steps.input);
    if (done == size) out.push_back(output.samples[0].token);
    steps.input.clear();
  }
  while (static_cast<int32_t>(out.size()) < count) {
    steps.work(0, 1, true);
    out.push_back(runner.run(steps.input).samples[0].token);
    steps.input.clear();
  }
  steps.end(0);
  runner.run(steps.input);
  return out;
}

// A random model in a file of its own, removed at the end.
class RandomModelFile {
 public:
  explicit RandomModelFile(RandomModelSpec spec = {}) {
    if (spec.architecture.empty()) spec.architecture = "llama";
    ThreadPool pool(1);
    const auto written = write_random_model(spec, path_, pool);
    if (!written) ADD_FAILURE() << written.error().message;
  }

  const std::string& path() const { return path_; }

 private:
  TempFolder folder_;
  std::string path_ = folder_.file("model.gguf");
};

inline std::string default_model() { return QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf"; }

}  // namespace quire
