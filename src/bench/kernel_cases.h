// Every kernel at the shapes of one model: what `quire bench roofline` times. Weights and KV blocks are
// cold, as they are in a model, by rotation through more copies than caches hold; everything else is
// warm. What is written to memory counts like what is read from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/attention_case.h"
#include "bench/roofline.h"
#include "config/model_config.h"
#include "kernels/attention_plan.h"
#include "kernels/kernel_table.h"
#include "tensor/arena.h"

namespace quire {

// A linear of the model, once a distinct shape.
struct LinearShape {
  std::string name;  // e.g. "gate | up"
  DType dtype = DType::kF32;
  int64_t rows = 0;
  int64_t cols = 0;
  Epilogue epilogue = Epilogue::kStore;
};

struct KernelShapes {
  ModelConfig config;
  std::vector<LinearShape> linears;
  KvDType kv_dtype = KvDType::kF16;
  int32_t block_size = 16;
};

class KernelBench {
 public:
  // All references outlive the bench. kResourceExhausted if there is no memory for the copies.
  static Expected<KernelBench> create(const KernelTable& table, ThreadPool& pool, MachinePeaks& peaks,
                                      const Clock& clock, const KernelShapes& shapes);

  // Each calls `report` with its rows, one after the other. Errors: kResourceExhausted.
  using Report = FunctionRef<void(const RooflineRow&)>;
  void linears(Report report);       // the model's, for 1 to 512 tokens
  void linear_types(Report report);  // all types and activation formats at one shape
  void packing(Report report);       // all types at the same shape
  void row_kernels(Report report);   // norms, quantize, embed, sampling, and the like
  // Decode and prefill, KV as the model has it and int8: the write of keys and values, and attention with
  // blocks in order and scattered, beside each decode a mere read of the same blocks. attention_merge has a
  // row where the threads share a context of 4096.
  Expected<> attention(Report report);

 private:
  struct Buffers {
    Arena weights, activations, out, scratch;
  };
  KernelBench(const KernelTable& table, ThreadPool& pool, MachinePeaks& peaks, const Clock& clock,
              const KernelShapes& shapes, Buffers buffers)
      : table_(&table),
        pool_(&pool),
        peaks_(&peaks),
        clock_(&clock),
        shapes_(&shapes),
        buffers_(std::move(buffers)) {}

  RooflineRow time_linear(const LinearShape& shape, ActivationFormat format, int64_t num_tokens);
  RooflineRow time_pack(const LinearShape& shape);
  void sampling_kernels(Report report);
  Expected<AttentionCase> attention_case(KvDType dtype, int32_t num_rows, int32_t context_len,
                                         bool scattered);
  void share_tasks(const AttentionCase& c);
  void share_merges(const AttentionCase& c);
  Expected<> attention_merge(KvDType dtype, int32_t context_len, Report report);
  Expected<RooflineRow> time_rope_kv_write(KvDType dtype, int64_t num_tokens, bool decode);
  Expected<RooflineRow> time_attention(KvDType dtype, int32_t num_rows, int32_t context, bool scattered);
  Expected<RooflineRow> time_kv_read(KvDType dtype, int32_t context_len, bool scattered);
  template <class Run>
  RooflineRow time_rows(std::string name, int64_t rows, int64_t width, double bytes, double f32_ops,
                        Run run);
  ExecContext context(int thread) const;

  const KernelTable* table_;
  ThreadPool* pool_;
  MachinePeaks* peaks_;
  const Clock* clock_;
  const KernelShapes* shapes_;
  Buffers buffers_;
};

}  // namespace quire
