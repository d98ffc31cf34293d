// What the engine thread pays for a view of a large pool: cells, tables, steps.
#include "engine/engine_view.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace quire {
namespace {

// `num_blocks` blocks, of which 64 sequences hold half and a prefix cache knows what others have left.
class BusyPool {
 public:
  explicit BusyPool(int32_t num_blocks)
      : memory_(num_blocks, kBlockSize, std::make_shared<const Blake2Hasher>(Blake2Hasher::Secret{})),
        scheduler_({.max_num_seqs = kSequences,
                    .max_num_batched_tokens = num_blocks * kBlockSize,
                    .max_model_len = num_blocks * kBlockSize},
                   memory_) {
    fill(num_blocks / 2);  // touches them, and ends
    while (!scheduler_.running().empty()) {
      SequenceGroup& group = *scheduler_.running().back();
      scheduler_.end(group, group.sequences()[0], FinishReason::kAborted);
    }
    scheduler_.take_ended(ended_);
    fill(num_blocks / 4);
    view_.reserve();
  }

  void look() {
    view_.take(scheduler_, memory_, log_);
    benchmark::DoNotOptimize(view_.cells.data());
  }

 private:
  static constexpr int32_t kSequences = 64;
  static constexpr int32_t kBlockSize = 16;

  void fill(int32_t num_blocks) {
    for (int32_t i = 0; i < kSequences; ++i) {
      const int64_t id = next_id_++;
      const SequenceGroup::Origin origin{.id = id, .first_sequence = id, .arrival_ns = 0};
      std::vector<TokenId> prompt(static_cast<size_t>(num_blocks / kSequences * kBlockSize), 5);
      prompt[0] = static_cast<TokenId>(id);
      scheduler_.add(std::make_unique<SequenceGroup>(
          origin, std::move(prompt),
          std::make_shared<const SamplingParams>(SamplingParams{.max_tokens = 9})));
    }
    scheduler_.schedule(0, input_);
    output_.clear();
    for (const SampleWork& sample : input_.samples) {
      output_.samples.push_back({.slot = sample.slot, .token = 7});
    }
    scheduler_.update(output_, 0, events_);
  }

  KvCacheManager memory_;
  Scheduler scheduler_;
  StepInput input_;
  StepOutput output_;
  StepEvents events_;
  StepLog log_;
  EngineView view_;
  std::vector<std::unique_ptr<SequenceGroup>> ended_;
  int64_t next_id_ = 1;
};

void take_view(benchmark::State& state) {
  BusyPool pool(static_cast<int32_t>(state.range(0)));
  for (auto _ : state) pool.look();
}
BENCHMARK(take_view)->Name("engine/take_view")->Arg(4096)->Arg(65536)->Arg(1000000);

}  // namespace
}  // namespace quire
