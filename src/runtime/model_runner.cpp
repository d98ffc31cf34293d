#include "runtime/model_runner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/machine.h"

namespace quire {
namespace {

AttentionShape attention_shape(const ModelConfig& config) {
  return {.num_heads = config.num_heads, .num_kv_heads = config.num_kv_heads, .head_dim = config.head_dim};
}

int64_t scratch_bytes(const CompiledModel& model, const KernelTable& kernels) {
  int64_t widest = 0;
  for (const Weight& weight : model.plan.graph.weights)
    widest = std::max({widest, weight.cols, weight.rows});
  return std::max(kernels.scratch_bytes(widest), attention_scratch_bytes(attention_shape(model.config)));
}

std::vector<BoundWeight> bind(const CompiledModel& model, const PackedWeights& packed) {
  std::vector<BoundWeight> bound(model.weights.size());
  for (size_t i = 0; i < bound.size(); ++i) {
    if (model.weights[i].vector) {
      bound[i].vector = packed.vector(i);
    } else {
      bound[i].matrix = packed.matrix(i);
    }
  }
  return bound;
}

}  // namespace

int64_t runner_workspace_bytes(const CompiledModel& model, const KernelTable& kernels,
                               const ModelRunnerOptions& options) {
  const Rotary rotary(model.config);
  return model.plan.arena_bytes + options.num_threads * scratch_bytes(model, kernels) +
         attention_partial_bytes(attention_shape(model.config), options.num_threads) +
         StepBatch::bytes(rotary, model.plan.limits.max_tokens) +
         Sampler::bytes(model.config.vocab_size, options.num_threads);
}

CacheShape cache_shape(const ModelConfig& config, const ModelRunnerOptions& options) {
  return {.num_layers = config.num_layers,
          .num_kv_heads = config.num_kv_heads,
          .head_dim = config.head_dim,
          .block_size = options.block_size,
          .dtype = options.kv_dtype};
}

ModelRunner::ModelRunner(CompiledModel model, const KernelTable& kernels, const ModelRunnerOptions& options,
                         PackedWeights weights, CacheEngine cache)
    : model_(std::move(model)),
      kernels_(&kernels),
      pool_(options.num_threads, memory_nodes()),
      weights_(std::move(weights)),
      cache_(std::move(cache)),
      rows_(options.max_num_seqs, options.block_size),
      masks_(rows_, options.max_num_seqs),
      batch_(Rotary(model_.config), options.block_size, model_.plan.limits.max_tokens,
             options.max_num_seqs),
      attention_shape_(attention_shape(model_.config)),
      sampler_(kernels, model_.config.vocab_size, options.num_threads) {
  const auto max_rows = static_cast<size_t>(options.max_num_seqs);
  selected_.reserve(max_rows);
  head_rows_.reserve(kMaxLogitRows);
  sample_results_.reserve(max_rows);
  for (StepOutput& output : outputs_) output.samples.reserve(max_rows);
}

Expected<std::unique_ptr<ModelRunner>> ModelRunner::create(const GgufFile& file, CompiledModel model,
                                                           const KernelTable& kernels,
                                                           const ModelRunnerOptions& options,
                                                           PackProgress progress) {
  if (options.block_size < kMinBlockSize) {
    return fail_param("block_size", "block_size must be at least {}, but is {}", kMinBlockSize,
                      options.block_size);
  }
  auto cache = CacheEngine::create(cache_shape(model.config, options), options.num_blocks);
  if (!cache) return std::unexpected(cache.error());
  auto partials =
      Arena::create(attention_partial_bytes(attention_shape(model.config), options.num_threads));
  if (!partials) return std::unexpected(partials.error());
  // Bound as pool_ is, so that each thread touches first what it will read.
  ThreadPool loading_pool(options.num_threads, memory_nodes());
  auto weights = PackedWeights::pack(file, model.weights, kernels, loading_pool, progress);
  if (!weights) return std::unexpected(weights.error());
  std::unique_ptr<ModelRunner> runner(
      new ModelRunner(std::move(model), kernels, options, std::move(*weights), std::move(*cache)));
  runner->attention_partials_ = std::move(*partials);
  auto executor =
      PlanExecutor::create(runner->model_.plan, kernels, runner->pool_,
                           bind(runner->model_, runner->weights_), scratch_bytes(runner->model_, kernels));
  if (!executor) return std::unexpected(executor.error());
  runner->executor_ = std::make_unique<PlanExecutor>(std::move(*executor));
  runner->pooling_ = std::make_unique<RowPooling>(*runner->executor_);
  if (options.swap.num_slots > 0) {
    auto swap = create_swap_space(options.swap, runner->cache_, runner->pool_, runner->clock_);
    if (!swap) return std::unexpected(swap.error());
    runner->swap_ = std::move(*swap);
  }
  return runner;
}

const StepOutput& ModelRunner::run(const StepInput& input) {
  ++num_runs_;
  output().clear();
  output().step_id = input.step_id;
  move_blocks(input);
  masks_.begin_step(input);
  rows_.begin_step(input);
  const int64_t start_ns = clock_.now_ns();
  if (!input.work.empty()) compute(input);
  output().compute_ns = clock_.now_ns() - start_ns;
  if (swap_) swap_->arrive(input.work.empty(), output());
  return output();
}

void ModelRunner::move_blocks(const StepInput& input) {
  if (swap_) {
    swap_->cancel(input.swap_cancels);
    swap_->swap_out(input.swap_outs, output());
  }
  cache_.copy(input.copies, pool_);
  if (swap_) swap_->swap_in(input.swap_ins, output());
}

void ModelRunner::compute(const StepInput& input) {
  masks_.start(input.samples);
  batch_.build(input.work, rows_);
  plan_attention(attention_shape_, batch_.sequences(), pool_.num_threads(), attention_plan_);
  executor_->run_body({.num_tokens = batch_.num_tokens(),
                       .token_ids = batch_.token_ids(),
                       .cos_sin = batch_.cos_sin(),
                       .kv_slots = batch_.kv_slots(),
                       .sequences = batch_.sequences(),
                       .attention = &attention_plan_,
                       .attention_partials = reinterpret_cast<float*>(attention_partials_.data()),
                       .layers = cache_.layers()});
  rows_.fork(input.forks);
  masks_.finish(input);
  pool_rows(input);
  select_rows(input);
  sample_results_.resize(std::max(sample_results_.size(), input.samples.size()));
  const auto limit = static_cast<size_t>(model_.plan.limits.max_selected);
  for (size_t begin = 0; begin < selected_.size(); begin += limit) {
    run_head_chunk(input, begin, std::min(begin + limit, selected_.size()));
  }
  collect_samples(input);
}

void ModelRunner::pool_rows(const StepInput& input) {
  for (size_t w = 0; w < input.work.size(); ++w) {
    WorkerRow& row = rows_.row(input.work[w].slot);
    if (row.sampling->pooling != Pooling::kNone) {
      pooling_->add(input.work[w], batch_.sequences()[w].first_row, row);
    }
  }
}

// Prompt log-probabilities first within a row's tokens, then the samples of its last token: ascending rows.
void ModelRunner::select_rows(const StepInput& input) {
  selected_.clear();
  size_t sample = 0;
  for (size_t w = 0; w < input.work.size(); ++w) {
    const RowWork& work = input.work[w];
    const auto first_row = static_cast<int32_t>(batch_.sequences()[w].first_row);
    const int32_t end = work.first_position + work.num_tokens;
    const size_t first_sample = sample;
    while (sample < input.samples.size() && input.samples[sample].row == static_cast<int32_t>(w)) ++sample;
    const auto num_samples = static_cast<int32_t>(sample - first_sample);
    if (rows_.row(work.slot).sampling->pooling != Pooling::kNone) continue;  // it needs no logits
    const int32_t num_prompt = rows_.row(work.slot).num_prompt_tokens;
    int32_t from = end - 1;
    if (work.prompt_logprobs_from >= 0) from = std::max(work.prompt_logprobs_from, work.first_position);
    for (int32_t position = std::min(from, end - 1); position < end; ++position) {
      const bool last = position == end - 1;
      const bool scores = work.prompt_logprobs_from >= 0 && position >= work.prompt_logprobs_from &&
                          position + 1 < num_prompt;
      if (!scores && !(last && num_samples > 0)) continue;
      selected_.push_back({.row = first_row + position - work.first_position,
                           .first_sample = static_cast<int32_t>(first_sample),
                           .num_samples = last ? num_samples : 0,
                           .prompt_position = scores ? position + 1 : 0,
                           .slot = work.slot});
    }
  }
  CHECK(sample == input.samples.size(), "samples must be in the order of the rows they name");
}

void ModelRunner::run_head_chunk(const StepInput& input, size_t begin, size_t end) {
  head_rows_.clear();
  for (size_t i = begin; i < end; ++i) head_rows_.push_back(selected_[i].row);
  const float* logits = executor_->run_head(head_rows_);
  const int64_t stride = executor_->logits_stride();
  const auto vocab = static_cast<size_t>(model_.config.vocab_size);
  const size_t count = end - begin;
  prompt_scores_.resize(std::max(prompt_scores_.size(), count));
  pool_.share(static_cast<int64_t>(count), 1, [&](int thread, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      finish_row(thread, input, selected_[begin + static_cast<size_t>(i)], {logits + i * stride, vocab},
                 prompt_scores_[static_cast<size_t>(i)]);
    }
  });
  for (size_t i = 0; i < count; ++i) {
    const SelectedRow& selected = selected_[begin + i];
    if (selected.prompt_position == 0) continue;
    const SampleResult& score = prompt_scores_[i];
    output().prompt_logprobs.push_back({.slot = selected.slot,
                                        .position = selected.prompt_position,
                                        .token = score.token,
                                        .logprob = score.logprob,
                                        .num_top = static_cast<int32_t>(score.top.size())});
    output().prompt_top.insert(output().prompt_top.end(), score.top.begin(), score.top.end());
  }
}

void ModelRunner::finish_row(int thread, const StepInput& input, const SelectedRow& selected,
                             std::span<const float> logits, SampleResult& prompt_score) {
  if (selected.prompt_position > 0) {
    const WorkerRow& row = rows_.row(selected.slot);
    sampler_.score(logits, row.tokens[static_cast<size_t>(selected.prompt_position)],
                   row.sampling->prompt_logprobs.value_or(0), prompt_score);
  }
  for (int32_t s = selected.first_sample; s < selected.first_sample + selected.num_samples; ++s) {
    const SlotId slot = input.samples[static_cast<size_t>(s)].slot;
    const WorkerRow& row = rows_.row(slot);
    sampler_.sample(thread, logits,
                    {row.sampling.get(), row.tokens, row.num_prompt_tokens, row.seed, masks_.mask(slot)},
                    sample_results_[static_cast<size_t>(s)]);
  }
}

void ModelRunner::collect_samples(const StepInput& input) {
  for (size_t s = 0; s < input.samples.size(); ++s) {
    const SlotId slot = input.samples[s].slot;
    if (const WorkerRow& row = rows_.row(slot); row.sampling->pooling != Pooling::kNone) {
      output().samples.push_back(
          {.slot = slot, .token = -1, .embedding = static_cast<int32_t>(output().embeddings.size())});
      output().embeddings.push_back(RowPooling::result(row));
      continue;
    }
    const SampleResult& result = sample_results_[s];
    output().samples.push_back({.slot = slot,
                                .token = result.token,
                                .logprob = result.logprob,
                                .num_top = static_cast<int32_t>(result.top.size())});
    output().top.insert(output().top.end(), result.top.begin(), result.top.end());
    // A row whose grammar lets nothing follow ends with this step, but may decode in one that was submitted
    // ahead, of whatever token. Beams get theirs from the scheduler.
    if (!rows_.row(slot).sampling->use_beam_search) {
      rows_.row(slot).tokens.push_back(std::max(result.token, 0));
    }
  }
}

}  // namespace quire
