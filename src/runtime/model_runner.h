// Computes steps on this machine: applies a StepInput to its rows, runs the plan, samples. Owns the packed
// weights, the KV storage and the thread pool. One thread calls it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "graph/plan_executor.h"
#include "kernels/attention_plan.h"
#include "runtime/cache_engine.h"
#include "runtime/compiled_model.h"
#include "runtime/grammar_masks.h"
#include "runtime/row_pooling.h"
#include "runtime/row_table.h"
#include "runtime/step_batch.h"
#include "runtime/swap_space.h"
#include "sampling/sampler.h"
#include "step/step_input.h"
#include "step/step_output.h"

namespace quire {

struct ModelRunnerOptions {
  int32_t num_blocks = 0;
  int32_t block_size = 16;
  KvDType kv_dtype = KvDType::kF16;
  int32_t max_num_seqs = 64;
  int num_threads = 1;
  SwapSpaceOptions swap = {};
};

// Smaller ones would make results depend on the batch: kernels read keys eight at a time.
inline constexpr int32_t kMinBlockSize = 8;

// Rows of logits that are made at a time: a bound on memory, whatever the number of prompt
// log-probabilities.
inline constexpr int64_t kMaxLogitRows = 32;

// Memory that a runner takes beside weights and KV blocks.
int64_t runner_workspace_bytes(const CompiledModel& model, const KernelTable& kernels,
                               const ModelRunnerOptions& options);

CacheShape cache_shape(const ModelConfig& config, const ModelRunnerOptions& options);

class ModelRunner {
 public:
  // Packs the weights; the file is not needed afterwards. `kernels` outlives the runner. kInvalidArgument: a
  // block size below kMinBlockSize.
  static Expected<std::unique_ptr<ModelRunner>> create(
      const GgufFile& file, CompiledModel model, const KernelTable& kernels,
      const ModelRunnerOptions& options, PackProgress progress = [](int64_t, int64_t) {});

  // To be called once by the thread that will call run(), if it does nothing else: it then stays on the
  // memory node of its share of the weights.
  void bind_caller() const { pool_.bind_caller(); }

  // The output is valid until the call after the next.
  const StepOutput& run(const StepInput& input);

  const ModelConfig& config() const { return model_.config; }

 private:
  // A row of hidden states whose logits are wanted, and why.
  struct SelectedRow {
    int32_t row = 0;           // in the batch
    int32_t first_sample = 0;  // samples [first, first + count) of the step
    int32_t num_samples = 0;
    int32_t prompt_position = 0;  // position of the prompt token that these logits score; 0: none
    SlotId slot = 0;
  };

  ModelRunner(CompiledModel model, const KernelTable& kernels, const ModelRunnerOptions& options,
              PackedWeights weights, CacheEngine cache);

  void move_blocks(const StepInput& input);
  void compute(const StepInput& input);
  void pool_rows(const StepInput& input);
  void select_rows(const StepInput& input);
  void run_head_chunk(const StepInput& input, size_t begin, size_t end);
  void finish_row(int thread, const StepInput& input, const SelectedRow& selected,
                  std::span<const float> logits, SampleResult& prompt_score);
  void collect_samples(const StepInput& input);

  const SystemClock clock_;
  CompiledModel model_;
  const KernelTable* kernels_;
  ThreadPool pool_;
  PackedWeights weights_;
  CacheEngine cache_;
  std::unique_ptr<SwapSpace> swap_;  // null: none
  RowTable rows_;
  GrammarMasks masks_;
  StepBatch batch_;
  AttentionShape attention_shape_;
  AttentionPlan attention_plan_;
  Arena attention_partials_;
  Sampler sampler_;
  std::unique_ptr<PlanExecutor> executor_;
  std::unique_ptr<RowPooling> pooling_;

  std::vector<SelectedRow> selected_;
  std::vector<int32_t> head_rows_;            // of the chunk in work
  std::vector<SampleResult> sample_results_;  // by sample of the step
  std::vector<SampleResult> prompt_scores_;   // by row of the chunk
  StepOutput& output() { return outputs_[static_cast<size_t>(num_runs_ % 2)]; }
  std::array<StepOutput, 2> outputs_;  // in turn
  int64_t num_runs_ = 0;
};

}  // namespace quire
