// What the scheduler costs beside a step: schedule() and update(), all running sequences decoding.
#include "scheduler/scheduler.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace quire {
namespace {

constexpr int32_t kMaxTokens = 1024;
constexpr int32_t kBlockSize = 16;

// `count` sequences that have prefilled prompts of different lengths, so that a sixteenth of them needs a
// block in each step. With a prefix cache each block that is full is hashed and kept; nothing is ever found.
class SteadyDecode {
 public:
  explicit SteadyDecode(int32_t count, bool cached = false)
      : memory_(count * (kMaxTokens / kBlockSize + 8), kBlockSize,
                cached ? std::make_shared<const Blake2Hasher>(Blake2Hasher::Secret{}) : nullptr),
        scheduler_({.max_num_seqs = count,
                    .max_num_batched_tokens = count * 100,
                    .max_model_len = kMaxTokens + 100},
                   memory_) {
    SamplingParams params{.max_tokens = kMaxTokens};
    params.eos_token_ids = {0, 2};
    for (int32_t i = 0; i < count; ++i) {
      const SequenceGroup::Origin origin{.id = i + 1, .first_sequence = i + 1, .arrival_ns = 0};
      std::vector<TokenId> prompt(static_cast<size_t>(50 + i * 7 % 48), 5);
      prompt[0] = i;
      scheduler_.add(std::make_unique<SequenceGroup>(origin, std::move(prompt),
                                                     std::make_shared<const SamplingParams>(params)));
    }
    scheduler_.schedule(0, input_);  // the whole prefill, in one step
    for (const SampleWork& sample : input_.samples) {
      output_.samples.push_back({.slot = sample.slot, .token = 7});
    }
    scheduler_.update(output_, 0, events_);
  }

  void step() {
    benchmark::DoNotOptimize(scheduler_.schedule(1, input_));
    scheduler_.update(output_, 2, events_);
  }

 private:
  KvCacheManager memory_;
  Scheduler scheduler_;
  StepInput input_;
  StepOutput output_;
  StepEvents events_;
};

void run_steady_decode(benchmark::State& state, bool cached) {
  const auto count = static_cast<int32_t>(state.range(0));
  auto decode = std::make_unique<SteadyDecode>(count, cached);
  int32_t steps = 1;
  for (auto _ : state) {
    decode->step();
    if (++steps < kMaxTokens) continue;
    state.PauseTiming();
    decode.reset();
    decode = std::make_unique<SteadyDecode>(count, cached);
    steps = 1;
    state.ResumeTiming();
  }
  state.counters["time_per_decode"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * count,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode_step(benchmark::State& state) { run_steady_decode(state, false); }
BENCHMARK(decode_step)->Name("scheduler/decode_step")->Arg(100)->Arg(1000)->Arg(10000);

void decode_step_cached(benchmark::State& state) { run_steady_decode(state, true); }
BENCHMARK(decode_step_cached)->Name("scheduler/decode_step_cached")->Arg(100)->Arg(1000)->Arg(10000);

}  // namespace
}  // namespace quire
