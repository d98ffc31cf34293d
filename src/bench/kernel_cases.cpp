#include "bench/kernel_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/rng.h"
#include "graph/plan_executor.h"

namespace quire {
namespace {

constexpr int64_t kMaxTokens = 512;
constexpr int64_t kColdBytes = 96 << 20;  // more than the caches hold
constexpr int64_t kMaxOutBytes = 64 << 20;
constexpr std::array<int64_t, 7> kTokens{1, 4, 8, 16, 64, 128, 512};

int64_t widest(const KernelShapes& shapes) {
  int64_t width = std::max(shapes.config.vocab_size, shapes.config.hidden_size);
  for (const LinearShape& linear : shapes.linears) width = std::max({width, linear.rows, linear.cols});
  return round_up(width, 64);
}

AttentionShape heads_of(const ModelConfig& config) {
  return {.num_heads = config.num_heads, .num_kv_heads = config.num_kv_heads, .head_dim = config.head_dim};
}

std::string_view format_name(ActivationFormat format) {
  return format == ActivationFormat::kInt8 ? "int8" : "fp32";
}

// Small normal numbers in every type. Unwritten pages would all be one page of zeros, and that in the
// cache.
void touch(const Arena& arena) { std::memset(arena.data(), 0x11, static_cast<size_t>(arena.size())); }

}  // namespace

Expected<KernelBench> KernelBench::create(const KernelTable& table, ThreadPool& pool, MachinePeaks& peaks,
                                          const Clock& clock, const KernelShapes& shapes) {
  const int64_t width = widest(shapes);
  int64_t weight_bytes = kColdBytes;
  for (const LinearShape& linear : shapes.linears) {
    const int64_t largest = table.packed_bytes(DType::kF32, linear.rows, linear.cols);
    weight_bytes = std::max(weight_bytes, 2 * round_up(largest, kCacheLine));
  }
  const int64_t scratch =
      std::max(table.scratch_bytes(width), attention_scratch_bytes(heads_of(shapes.config)));
  const int64_t width_bytes = width * static_cast<int64_t>(sizeof(float));
  const int64_t rows_bytes = std::max(kMaxOutBytes, width_bytes);
  Buffers buffers;
  for (const auto& [arena, bytes] :
       {std::pair{&buffers.weights, weight_bytes},
        {&buffers.activations, rows_bytes},
        {&buffers.out, rows_bytes},
        {&buffers.scratch, round_up(scratch, kCacheLine) * pool.num_threads()}}) {
    auto made = Arena::create(bytes);
    if (!made) return std::unexpected(made.error());
    *arena = std::move(*made);
  }
  touch(buffers.weights);
  touch(buffers.activations);
  return KernelBench(table, pool, peaks, clock, shapes, std::move(buffers));
}

ExecContext KernelBench::context(int thread) const {
  const int64_t bytes = buffers_.scratch.size() / pool_->num_threads() / kCacheLine * kCacheLine;
  return {thread, buffers_.scratch.data() + thread * bytes, bytes};
}

RooflineRow KernelBench::time_linear(const LinearShape& shape, ActivationFormat format,
                                     int64_t num_tokens) {
  const int64_t bytes = table_->packed_bytes(shape.dtype, shape.rows, shape.cols);
  const int64_t copies = std::max<int64_t>(1, buffers_.weights.size() / bytes);
  const auto kernel = table_->linear[static_cast<size_t>(shape.dtype)][static_cast<size_t>(format)];
  LinearArgs args{.activations = buffers_.activations.data(),
                  .format = format,
                  .weight = {buffers_.weights.data(), shape.rows, shape.cols, shape.dtype},
                  .out = reinterpret_cast<float*>(buffers_.out.data()),
                  .out_stride = round_up(shape.rows, 64),
                  .num_tokens = num_tokens,
                  .epilogue = shape.epilogue,
                  .activation_stride = shape.cols};
  const double ops = 2.0 * static_cast<double>(num_tokens * shape.rows * shape.cols);
  Work work{.memory_bytes = static_cast<double>(bytes)};
  linear_ops(work, table_->isa, shape.dtype, format) = ops;
  int64_t copy = 0;
  return measure(
      *peaks_, *clock_, fmt::format("linear {} x {}", to_string(shape.dtype), format_name(format)),
      fmt::format("{} {}x{}, {} tokens", shape.name, shape.rows, shape.cols, num_tokens), work, [&] {
        args.weight.data = buffers_.weights.data() + copy * bytes;
        copy = (copy + 1) % copies;
        share_linear(*pool_, *table_, args, [&](int thread, int64_t begin, int64_t end) {
          kernel(context(thread), args, begin, end);
        });
      });
}

void KernelBench::linears(Report report) {
  for (const LinearShape& shape : shapes_->linears) {
    const auto format = is_quantized(shape.dtype) ? ActivationFormat::kInt8 : ActivationFormat::kF32;
    for (const int64_t tokens : kTokens) {
      const bool fits = tokens * round_up(std::max(shape.rows, shape.cols), 64) * 4 <= kMaxOutBytes;
      if (fits) report(time_linear(shape, format, tokens));
    }
  }
}

void KernelBench::linear_types(Report report) {
  if (shapes_->linears.empty()) return;
  LinearShape shape = shapes_->linears.front();
  for (size_t dtype = 0; dtype < kNumDTypes; ++dtype) {
    shape.dtype = static_cast<DType>(dtype);
    for (const auto format : {ActivationFormat::kInt8, ActivationFormat::kF32}) {
      if (table_->linear[dtype][static_cast<size_t>(format)] == nullptr) continue;
      for (const int64_t tokens : {1, 16, 512}) report(time_linear(shape, format, tokens));
    }
  }
}

// From one half of the weights' memory to the other.
RooflineRow KernelBench::time_pack(const LinearShape& shape) {
  const int64_t bytes = table_->packed_bytes(shape.dtype, shape.rows, shape.cols);
  const int64_t half = buffers_.weights.size() / 2 / kCacheLine * kCacheLine;  // holds fp32 at least
  const int64_t stride = round_up(bytes, kCacheLine);
  const int64_t copies = half / stride;
  const int64_t groups = round_up(shape.rows, table_->row_group) / table_->row_group;
  const Work work{.memory_bytes =
                      static_cast<double>(bytes + shape.rows * row_bytes(shape.dtype, shape.cols))};
  PackArgs args{.dtype = shape.dtype,
                .source = nullptr,
                .rows = shape.rows,
                .cols = shape.cols,
                .target = nullptr,
                .first_group = 0,
                .group_step = 1};
  int64_t copy = 0;
  return measure(*peaks_, *clock_, fmt::format("pack {}", to_string(shape.dtype)),
                 fmt::format("{} {}x{}", shape.name, shape.rows, shape.cols), work, [&] {
                   args.source = buffers_.weights.data() + copy * stride;
                   args.target = buffers_.weights.data() + half + copy * stride;
                   copy = (copy + 1) % copies;
                   const int64_t chunk = std::max<int64_t>(1, groups / (pool_->num_threads() * 8));
                   pool_->share(groups, chunk,
                                [&](int, int64_t begin, int64_t end) { table_->pack(args, begin, end); });
                 });
}

void KernelBench::packing(Report report) {
  if (shapes_->linears.empty()) return;
  LinearShape shape = shapes_->linears.front();
  for (size_t dtype = 0; dtype < kNumDTypes; ++dtype) {
    shape.dtype = static_cast<DType>(dtype);
    report(time_pack(shape));
  }
}

template <class Run>
RooflineRow KernelBench::time_rows(std::string name, int64_t rows, int64_t width, double bytes,
                                   double f32_ops, Run run) {
  const Work work{.cache_bytes = bytes, .f32_ops = f32_ops};
  return measure(*peaks_, *clock_, std::move(name), fmt::format("{} rows of {}", rows, width), work,
                 [&] { pool_->share(rows, std::max<int64_t>(1, rows / (pool_->num_threads() * 8)), run); });
}

void KernelBench::row_kernels(Report report) {
  const int64_t width = shapes_->config.hidden_size;
  const double row = static_cast<double>(width) * sizeof(float);
  auto* x = reinterpret_cast<float*>(buffers_.activations.data());
  auto* out = reinterpret_cast<float*>(buffers_.out.data());
  for (const int64_t rows : {int64_t{16}, kMaxTokens}) {
    const double all = static_cast<double>(rows) * row;
    NormArgs norm{.x = x,
                  .x_stride = width,
                  .weight = x,
                  .epsilon = 1e-5F,
                  .width = width,
                  .num_tokens = rows,
                  .out = buffers_.out.data(),
                  .format = ActivationFormat::kInt8,
                  .out_stride = width};
    const auto run_norm = [&](int thread, int64_t begin, int64_t end) {
      table_->rms_norm(context(thread), norm, begin, end);
    };
    report(time_rows("rms_norm to int8", rows, width, all * 1.25, all, run_norm));
    norm.format = ActivationFormat::kF32;
    report(time_rows("rms_norm", rows, width, all * 2, all, run_norm));
    const QuantizeArgs quantize{x, width, width, rows, buffers_.out.data(), 0, width};
    report(time_rows("quantize", rows, width, all * 1.25, 0, [&](int thread, int64_t begin, int64_t end) {
      table_->quantize(context(thread), quantize, begin, end);
    }));
    const BinaryArgs binary{x, width, x, width, out, width, width, rows};
    report(time_rows("silu_mul", rows, width, all * 3, 0, [&](int thread, int64_t begin, int64_t end) {
      table_->silu_mul(context(thread), binary, begin, end);
    }));
    report(time_rows("add", rows, width, all * 3, 0, [&](int thread, int64_t begin, int64_t end) {
      table_->add(context(thread), binary, begin, end);
    }));
    std::vector<int32_t> ids(static_cast<size_t>(rows));
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 7919 % 1024);
    const DType dtype = shapes_->linears.back().dtype;
    const EmbedArgs embed{{buffers_.weights.data(), 1024, width, dtype}, ids.data(), out, rows, width};
    report(time_rows("embed", rows, width, all * 2, 0, [&](int thread, int64_t begin, int64_t end) {
      table_->embed(context(thread), embed, begin, end);
    }));
  }
  sampling_kernels(report);
}

void KernelBench::sampling_kernels(Report report) {
  constexpr double kSurvivors = 1.0 / 512;  // of select: about what top-k leaves
  const int64_t vocab = shapes_->config.vocab_size;
  Rng rng(1);
  std::vector<float> logits(static_cast<size_t>(vocab));
  for (float& logit : logits) logit = static_cast<float>(rng.uniform());
  const float* x = logits.data();
  const double bytes = static_cast<double>(vocab) * sizeof(float);
  report(time_rows("argmax", 1, vocab, bytes, 0, [&](int, int64_t, int64_t) {
    const int64_t token = table_->argmax(x, vocab);
    asm volatile("" : : "r"(token));
  }));
  report(time_rows("max_sum_exp", 1, vocab, bytes, 0, [&](int, int64_t, int64_t) {
    float maximum = 0;
    double sum = 0;
    table_->max_sum_exp(x, vocab, 1.0F, &maximum, &sum);
    asm volatile("" : : "m"(sum));
  }));
  auto* ids = reinterpret_cast<int32_t*>(buffers_.out.data());
  report(time_rows("select", 1, vocab, bytes, 0, [&](int, int64_t, int64_t) {
    const int64_t found = table_->select(x, vocab, static_cast<float>(1 - kSurvivors), ids);
    asm volatile("" : : "r"(found));
  }));
}

}  // namespace quire
