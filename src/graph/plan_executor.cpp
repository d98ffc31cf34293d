#include "graph/plan_executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

// Work is dealt in several chunks a thread, because another process may take a core away: what a thread
// has not begun, others do.
constexpr int64_t kChunksPerThread = 16;
constexpr int64_t kRowGrain = 4;  // tokens that are quantized together
// Groups: a multiple of what the kernels unpack at once, and whole blocks of a quantized output.
constexpr int64_t kLinearChunkGrain = 4;
// Weights that fewer tokens than this read are a stream from memory, which every new chunk interrupts for
// about as long as a kilobyte takes.
constexpr int64_t kComputeBoundTokens = 8;
constexpr int64_t kMinChunkBytes = 32 << 10;

int64_t groups_per_item(const LinearArgs& args) { return args.epilogue == Epilogue::kSiluMul ? 2 : 1; }

int64_t linear_items(const KernelTable& kernels, const LinearArgs& args) {
  return round_up(args.weight.rows, kernels.row_group) / kernels.row_group / groups_per_item(args);
}

}  // namespace

void share_linear(ThreadPool& pool, const KernelTable& kernels, const LinearArgs& args,
                  ThreadPool::Job job) {
  const PackedMatrix& weight = args.weight;
  const int64_t items = linear_items(kernels, args);
  const int64_t item_bytes =
      groups_per_item(args) * kernels.packed_bytes(weight.dtype, kernels.row_group, weight.cols);
  int64_t chunk = std::max<int64_t>(1, items / (pool.num_threads() * kChunksPerThread));
  if (args.num_tokens < kComputeBoundTokens) chunk = std::max(chunk, kMinChunkBytes / item_bytes);
  pool.share(items, round_up(chunk, kLinearChunkGrain), job);
}

PlanExecutor::PlanExecutor(const Plan& plan, const KernelTable& kernels, ThreadPool& pool,
                           std::vector<BoundWeight> weights)
    : plan_(&plan), kernels_(&kernels), pool_(&pool), weights_(std::move(weights)), fetches_(plan.graph) {}

Expected<PlanExecutor> PlanExecutor::create(const Plan& plan, const KernelTable& kernels, ThreadPool& pool,
                                            std::vector<BoundWeight> weights,
                                            int64_t scratch_bytes_per_thread) {
  CHECK(weights.size() == plan.graph.weights.size());
  PlanExecutor executor(plan, kernels, pool, std::move(weights));
  auto arena = Arena::create(plan.arena_bytes);
  if (!arena) return std::unexpected(arena.error());
  executor.scratch_bytes_per_thread_ = round_up(scratch_bytes_per_thread, kCacheLine);
  auto scratch = Arena::create(executor.scratch_bytes_per_thread_ * pool.num_threads());
  if (!scratch) return std::unexpected(scratch.error());
  executor.arena_ = std::move(*arena);
  executor.scratch_ = std::move(*scratch);
  return executor;
}

std::byte* PlanExecutor::bytes(ValueId id) const {
  return arena_.data() + plan_->buffers[static_cast<size_t>(plan_->graph.root(id))].offset_bytes;
}

float* PlanExecutor::floats(ValueId id) const {
  return reinterpret_cast<float*>(bytes(id)) + plan_->graph.column(id);
}

int64_t PlanExecutor::stride(ValueId id) const {
  return plan_->buffers[static_cast<size_t>(plan_->graph.root(id))].stride;
}

int64_t PlanExecutor::logits_stride() const { return stride(plan_->logits()); }

ExecContext PlanExecutor::context(int thread) const {
  return {thread, scratch_.data() + thread * scratch_bytes_per_thread_, scratch_bytes_per_thread_};
}

void PlanExecutor::run_body(const StepTensors& step) {
  CHECK(step.num_tokens > 0 && step.num_tokens <= plan_->limits.max_tokens);
  fetches_.begin_step(step.sequences, step.layers);
  for (int32_t i = 0; i < plan_->head_begin; ++i) {
    run(plan_->graph.ops[static_cast<size_t>(i)], step, {}, step.num_tokens);
  }
}

float* PlanExecutor::run_head(std::span<const int32_t> rows) {
  CHECK(!rows.empty() && static_cast<int64_t>(rows.size()) <= plan_->limits.max_selected);
  for (size_t i = static_cast<size_t>(plan_->head_begin); i < plan_->graph.ops.size(); ++i) {
    run(plan_->graph.ops[i], {}, rows, static_cast<int64_t>(rows.size()));
  }
  return floats(plan_->logits());
}

void PlanExecutor::run(const Op& op, const StepTensors& step, std::span<const int32_t> selected,
                       int64_t rows) {
  switch (op.kind) {
    case OpKind::kEmbed: {
      const EmbedArgs args{weights_[static_cast<size_t>(op.weight)].matrix, step.token_ids,
                           floats(op.output), rows, stride(op.output)};
      return share_rows(rows, [&](int thread, int64_t begin, int64_t end) {
        kernels_->embed(context(thread), args, begin, end);
      });
    }
    case OpKind::kRmsNorm: return run_norm(op, rows);
    case OpKind::kQuantize: {
      const QuantizeArgs args = quantize_args(op.inputs[0], op.output, rows);
      return share_rows(rows, [&](int thread, int64_t begin, int64_t end) {
        kernels_->quantize(context(thread), args, begin, end);
      });
    }
    case OpKind::kLinear: return run_linear(op, rows);
    case OpKind::kRope:
    case OpKind::kKvWrite:
    case OpKind::kRopeKvWrite: return run_rope(op, step);
    case OpKind::kPagedAttention: return run_attention(op, step);
    case OpKind::kSiluMul:
    case OpKind::kAdd: return run_binary(op, rows);
    case OpKind::kGatherRows: return gather(op, selected);
    case OpKind::kKvRead:
    case OpKind::kAttention:
    case OpKind::kSilu:
    case OpKind::kMul: break;  // plan_memory() refuses them
  }
  CHECK(false, "{} has no kernel", to_string(op.kind));
}

void PlanExecutor::share_rows(int64_t rows, ThreadPool::Job job) const {
  const int64_t chunk = std::max<int64_t>(1, rows / (pool_->num_threads() * kChunksPerThread));
  pool_->share(rows, round_up(chunk, kRowGrain), job);
}

QuantizeArgs PlanExecutor::quantize_args(ValueId from, ValueId to, int64_t rows) const {
  const int64_t width = plan_->graph.values[static_cast<size_t>(from)].cols;
  return {floats(from), stride(from), width, rows, bytes(to), 0, width};
}

void PlanExecutor::run_norm(const Op& op, int64_t rows) {
  const GraphValue& out = plan_->graph.values[static_cast<size_t>(op.output)];
  const NormArgs args{.x = floats(op.inputs[0]),
                      .x_stride = stride(op.inputs[0]),
                      .weight = weights_[static_cast<size_t>(op.weight)].vector,
                      .epsilon = op.epsilon,
                      .width = out.cols,
                      .num_tokens = rows,
                      .out = bytes(op.output),
                      .format = out.format,
                      .out_stride = stride(op.output)};
  share_rows(rows, [&](int thread, int64_t begin, int64_t end) {
    kernels_->rms_norm(context(thread), args, begin, end);
  });
}

int64_t PlanExecutor::hidden_width() const {
  return plan_->graph.values[static_cast<size_t>(head_gather().output)].cols;
}

void PlanExecutor::norm_hidden(int64_t first_row, int64_t num_rows, float* out) const {
  const auto& ops = plan_->graph.ops;
  const auto norm = std::find_if(ops.begin() + plan_->head_begin, ops.end(),
                                 [](const Op& op) { return op.kind == OpKind::kRmsNorm; });
  CHECK(norm != ops.end(), "the head has no norm");
  const ValueId hidden = head_gather().inputs[0];
  const NormArgs args{.x = floats(hidden) + first_row * stride(hidden),
                      .x_stride = stride(hidden),
                      .weight = weights_[static_cast<size_t>(norm->weight)].vector,
                      .epsilon = norm->epsilon,
                      .width = hidden_width(),
                      .num_tokens = num_rows,
                      .out = reinterpret_cast<std::byte*>(out),
                      .format = ActivationFormat::kF32,
                      .out_stride = hidden_width()};
  share_rows(num_rows, [&](int thread, int64_t begin, int64_t end) {
    kernels_->rms_norm(context(thread), args, begin, end);
  });
}

void PlanExecutor::run_linear(const Op& op, int64_t rows) {
  const PackedMatrix& weight = weights_[static_cast<size_t>(op.weight)].matrix;
  const ActivationFormat format = plan_->graph.values[static_cast<size_t>(op.inputs[0])].format;
  const LinearArgs args{.activations = bytes(op.inputs[0]),
                        .format = format,
                        .weight = weight,
                        .out = floats(op.output),
                        .out_stride = stride(op.output),
                        .num_tokens = rows,
                        .epilogue = op.epilogue,
                        .activation_stride = stride(op.inputs[0])};
  const auto kernel = kernels_->linear[static_cast<size_t>(weight.dtype)][static_cast<size_t>(format)];
  QuantizeArgs quantize{};
  if (op.quantized != kNoId) quantize = quantize_args(op.output, op.quantized, rows);
  const auto op_index = static_cast<size_t>(&op - plan_->graph.ops.data());
  const int64_t items = linear_items(*kernels_, args);
  const auto job = [&](int thread, int64_t begin, int64_t end) {
    ExecContext exec = context(thread);
    FetchAhead ahead;
    if (rows >= kComputeBoundTokens) {
      ahead = fetches_.part(op_index, begin, end, items);
      exec.ahead = &ahead;
    }
    kernel(exec, args, begin, end);
    if (op.quantized == kNoId) return;
    QuantizeArgs piece = quantize;
    piece.begin_col = begin * kernels_->row_group;
    piece.end_col = std::min(end * kernels_->row_group, quantize.width);
    kernels_->quantize(context(thread), piece, 0, rows);
  };
  share_linear(*pool_, *kernels_, args, job);
}

void PlanExecutor::run_rope(const Op& op, const StepTensors& step) {
  const HeadShape& heads = plan_->graph.heads;
  RopeKvArgs args{};
  args.stride = stride(op.inputs[0]);
  args.cos_sin = step.cos_sin;
  args.slots = step.kv_slots;
  args.num_tokens = step.num_tokens;
  args.num_heads = heads.num_heads;
  args.rope_dim = heads.rope_dim;
  args.interleaved = heads.rope_interleaved;
  auto kernel = kernels_->rope;
  if (op.kind == OpKind::kRope) {
    args.q = floats(op.inputs[0]);
    args.num_heads = op.heads;
    args.kv.head_dim = heads.head_dim;
  } else {
    args.kv = step.layers[static_cast<size_t>(op.layer)];
    const size_t key = op.kind == OpKind::kRopeKvWrite ? 1 : 0;
    if (op.kind == OpKind::kRopeKvWrite) args.q = floats(op.inputs[0]);
    args.k = floats(op.inputs[key]);
    args.v = floats(op.inputs[key + 1]);
    kernel = op.kind == OpKind::kRopeKvWrite ? kernels_->rope_kv_write : kernels_->kv_write;
    CHECK(stride(op.inputs[key]) == stride(op.inputs[key + 1]));
  }
  share_rows(step.num_tokens,
             [&](int thread, int64_t begin, int64_t end) { kernel(context(thread), args, begin, end); });
}

void PlanExecutor::run_attention(const Op& op, const StepTensors& step) {
  const AttentionPlan& plan = *step.attention;
  const AttentionArgs args{.q = floats(op.inputs[0]),
                           .q_stride = stride(op.inputs[0]),
                           .out = floats(op.output),
                           .out_stride = stride(op.output),
                           .sequences = step.sequences.data(),
                           .tasks = plan.tasks.data(),
                           .num_tasks = std::ssize(plan.tasks),
                           .merges = plan.merges.data(),
                           .partials = step.attention_partials,
                           .num_heads = plan_->graph.heads.num_heads,
                           .scale = 1.0F / std::sqrt(static_cast<float>(plan_->graph.heads.head_dim)),
                           .kv = step.layers[static_cast<size_t>(op.layer)]};
  QuantizeArgs quantize{};
  if (op.quantized != kNoId) quantize = quantize_args(op.output, op.quantized, step.num_tokens);
  const int64_t head_cols = quantize.width / plan_->graph.heads.num_kv_heads;
  // `piece`: a task or a merge that has stored its rows' outputs.
  const auto finish = [&](int thread, const auto& piece) {
    if (op.quantized == kNoId) return;
    QuantizeArgs part = quantize;
    part.begin_col = piece.kv_head * head_cols;
    part.end_col = part.begin_col + head_cols;
    const int64_t row = step.sequences[static_cast<size_t>(piece.sequence)].first_row + piece.first_row;
    kernels_->quantize(context(thread), part, row, row + piece.num_rows);
  };
  pool_->share(std::ssize(plan.tasks), 1, [&](int thread, int64_t begin, int64_t end) {
    kernels_->attention(context(thread), args, begin, end);
    const AttentionTask& task = plan.tasks[static_cast<size_t>(begin)];
    if (task.partial < 0) finish(thread, task);
  });
  pool_->share(std::ssize(plan.merges), 1, [&](int thread, int64_t begin, int64_t end) {
    kernels_->attention_merge(context(thread), args, begin, end);
    finish(thread, plan.merges[static_cast<size_t>(begin)]);
  });
}

void PlanExecutor::run_binary(const Op& op, int64_t rows) {
  const BinaryArgs args{.a = floats(op.inputs[0]),
                        .a_stride = stride(op.inputs[0]),
                        .b = floats(op.inputs[1]),
                        .b_stride = stride(op.inputs[1]),
                        .out = floats(op.output),
                        .out_stride = stride(op.output),
                        .width = plan_->graph.values[static_cast<size_t>(op.output)].cols,
                        .num_tokens = rows};
  const auto kernel = op.kind == OpKind::kAdd ? kernels_->add : kernels_->silu_mul;
  share_rows(rows,
             [&](int thread, int64_t begin, int64_t end) { kernel(context(thread), args, begin, end); });
}

void PlanExecutor::gather(const Op& op, std::span<const int32_t> selected) {
  const float* source = floats(op.inputs[0]);
  float* target = floats(op.output);
  const int64_t source_stride = stride(op.inputs[0]), target_stride = stride(op.output);
  const auto row_bytes =
      static_cast<size_t>(plan_->graph.values[static_cast<size_t>(op.output)].cols) * sizeof(float);
  for (size_t i = 0; i < selected.size(); ++i) {
    std::memcpy(target + static_cast<int64_t>(i) * target_stride, source + selected[i] * source_stride,
                row_bytes);
  }
}

}  // namespace quire
