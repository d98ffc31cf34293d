// Runs a plan: one kernel call an operation, its items split over the pool's threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "base/types.h"
#include "graph/fetch_schedule.h"
#include "graph/plan.h"
#include "kernels/attention_plan.h"
#include "kernels/kernel_table.h"
#include "tensor/arena.h"

namespace quire {

// What a step brings. The spans outlive the run.
struct StepTensors {
  int64_t num_tokens = 0;
  const TokenId* token_ids = nullptr;  // [T]
  const float* cos_sin = nullptr;      // [T, rope_dim / 2, 2]
  const int64_t* kv_slots = nullptr;   // [T]: block * block_size + offset
  std::span<const AttentionSequence> sequences;
  const AttentionPlan* attention = nullptr;
  float* attention_partials = nullptr;
  std::span<const KvCacheView> layers;  // by layer
};

// One of the model's weights as the kernels take it: `matrix` for linears and the embedding, `vector` for
// norms.
struct BoundWeight {
  PackedMatrix matrix = {};
  const float* vector = nullptr;
};

// Deals a linear's items to the threads.
void share_linear(ThreadPool& pool, const KernelTable& kernels, const LinearArgs& args,
                  ThreadPool::Job job);

class PlanExecutor {
 public:
  // All references outlive the executor. `weights` by WeightId of the plan's graph.
  static Expected<PlanExecutor> create(const Plan& plan, const KernelTable& kernels, ThreadPool& pool,
                                       std::vector<BoundWeight> weights, int64_t scratch_bytes_per_thread);

  // The body: all tokens through all layers.
  void run_body(const StepTensors& step);

  // The head over some rows of the last body, at most plan.limits.max_selected. Returns the logits, rows
  // `logits_stride()` floats apart, valid until the next run.
  float* run_head(std::span<const int32_t> rows);
  int64_t logits_stride() const;

  // What the model's last norm makes of rows [first_row, first_row + num_rows) of the last body, as fp32 to
  // `out` [num_rows, hidden_width()]: the head's input before its product with the vocabulary.
  void norm_hidden(int64_t first_row, int64_t num_rows, float* out) const;
  int64_t hidden_width() const;

 private:
  PlanExecutor(const Plan& plan, const KernelTable& kernels, ThreadPool& pool,
               std::vector<BoundWeight> weights);

  void run(const Op& op, const StepTensors& step, std::span<const int32_t> selected, int64_t rows);
  void share_rows(int64_t rows, ThreadPool::Job job) const;
  void run_linear(const Op& op, int64_t rows);
  void run_rope(const Op& op, const StepTensors& step);
  void run_attention(const Op& op, const StepTensors& step);
  void run_binary(const Op& op, int64_t rows);
  void run_norm(const Op& op, int64_t rows);
  void gather(const Op& op, std::span<const int32_t> selected);

  const Op& head_gather() const { return plan_->graph.ops[static_cast<size_t>(plan_->head_begin)]; }
  // The whole width of `from`, as int8 activations in `to`.
  QuantizeArgs quantize_args(ValueId from, ValueId to, int64_t rows) const;
  std::byte* bytes(ValueId id) const;
  float* floats(ValueId id) const;
  int64_t stride(ValueId id) const;
  ExecContext context(int thread) const;

  const Plan* plan_;
  const KernelTable* kernels_;
  ThreadPool* pool_;
  std::vector<BoundWeight> weights_;
  FetchSchedule fetches_;
  Arena arena_;
  Arena scratch_;
  int64_t scratch_bytes_per_thread_ = 0;
};

}  // namespace quire
