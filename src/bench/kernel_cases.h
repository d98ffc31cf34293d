// Every kernel at the shapes of one model: what `quire bench roofline` times. Weights and KV blocks are
// cold, as they are in a model, by rotation through more copies than caches hold; everything else is
// warm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  void row_kernels(Report report);   // norms, quantize, embed, sampling, and the like
  Expected<> attention(
      Report report);  // decode and prefill, blocks in order and scattered, KV as the model has it and int8

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
  Expected<RooflineRow> time_attention(KvDType dtype, int32_t num_rows, int32_t context, bool scattered);
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
