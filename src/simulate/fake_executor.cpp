#include "simulate/fake_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "memory/block_table.h"

namespace quire {
namespace {

bool contains(const std::vector<TokenId>& tokens, TokenId token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

bool stops(const SamplingParams& params, TokenId token) {
  return contains(params.stop_token_ids, token) ||
         (!params.ignore_eos && contains(params.eos_token_ids, token));
}

float logprob_of(uint64_t history, TokenId token) {
  return -static_cast<float>(random_bits(history, static_cast<uint64_t>(token)) % 1000) / 100;
}

void add_top(std::vector<TokenLogprob>& top, uint64_t history, int32_t count) {
  for (TokenId token = 0; token < count; ++token) top.push_back({token, logprob_of(history, token)});
}

}  // namespace

FakeExecutor::FakeExecutor(const FakeExecutorOptions& options)
    : options_(options),
      rows_(static_cast<size_t>(options.num_slots)),
      cells_(static_cast<size_t>(options.num_blocks) * static_cast<size_t>(options.block_size)),
      swap_(options.swap, options.num_blocks, options.block_size) {}

void FakeExecutor::submit(const StepInput& input) {
  if (options_.observe) options_.observe(input);
  num_ahead_ += submitted_.empty() ? 0 : 1;
  submitted_.push_back({&input, std::exchange(fails_next_, false)});
  if (std::ssize(submitted_) > max_submitted()) {
    violate(fmt::format("{} steps submitted at once", submitted_.size()));
  }
}

Expected<const StepOutput*> FakeExecutor::collect() {
  const auto [submitted, fails] = submitted_.front();
  submitted_.pop_front();
  const StepInput& input = *submitted;
  output_.clear();
  output_.step_id = input.step_id;
  int64_t num_tokens = 0;
  for (const RowWork& work : input.work) num_tokens += work.num_tokens;
  if (options_.clock) options_.clock->advance_ns(options_.ns_per_step + num_tokens * options_.ns_per_token);
  if (fails) {
    rows_.assign(rows_.size(), {});
    swap_.drop();
    for (Submitted& later : submitted_) later.fails = true;
    return fail(ErrorCode::kInternal, "the step was told to fail");
  }
  num_tokens_computed_ += num_tokens;
  output_.compute_ns = num_tokens * options_.ns_per_token;
  const bool waits = !input.swap_ins.empty() || !swap_.empty();
  if ((num_tokens < 1 && !waits) || num_tokens > options_.max_num_batched_tokens) {
    violate(fmt::format("a step of {} tokens", num_tokens));
  }
  if (!violation_.empty() || !apply(input)) {
    output_.clear();
    for (const SampleWork& sample : input.samples) output_.samples.push_back({.slot = sample.slot});
  }
  return &output_;
}

bool FakeExecutor::apply(const StepInput& input) {
  if (!end_rows(input) || !swap_out(input) || !edit_tables(input) || !fork_rows(input.branches) ||
      !grow_rows(input) || !copy_blocks(input) || !swap_in(input) || !start_rows(input) ||
      !extend_tables(input)) {
    return false;
  }
  // All writes first, as in each layer of a model: a row that writes where another one reads is caught.
  for (const RowWork& work : input.work) {
    if (!write_cache(work)) return false;
  }
  for (const RowWork& work : input.work) {
    if (!read_cache(work)) return false;
  }
  for (const RowWork& work : input.work) score_prompt(work);
  if (!fork_rows(input.forks) || !sample_rows(input)) return false;
  swap_.arrive(!input.work.empty(), cells_, output_);
  return true;
}

bool FakeExecutor::end_rows(const StepInput& input) {
  for (const SlotId slot : input.ends) {
    if (!is_taken(slot)) return violate(fmt::format("slot {} ends and is not taken", slot));
    rows_[static_cast<size_t>(slot)] = {};
  }
  return true;
}

bool FakeExecutor::swap_out(const StepInput& input) {
  std::string broken = swap_.cancel(input.swap_cancels);
  if (broken.empty()) broken = swap_.write(input.swap_outs, cells_, output_);
  return broken.empty() || violate(broken);
}

bool FakeExecutor::swap_in(const StepInput& input) {
  for (const SwapIn& swap_in : input.swap_ins) {
    if (is_held(swap_in.block)) {
      return violate(fmt::format("block {} is swapped in and in use", swap_in.block));
    }
  }
  const std::string broken = swap_.start_reads(input.swap_ins);
  return broken.empty() || violate(broken);
}

// Blocks that merge hold the same, or the row would go on with another history.
bool FakeExecutor::edit_tables(const StepInput& input) {
  for (const BlockEdit& edit : input.edits) {
    if (!is_taken(edit.slot))
      return violate(fmt::format("an edit of slot {}, which is not taken", edit.slot));
    auto& blocks = rows_[static_cast<size_t>(edit.slot)].blocks;
    if (!is_block(edit.block) || edit.index < 0 || edit.index >= std::ssize(blocks)) {
      return violate(fmt::format("slot {} cannot have block {} at {}", edit.slot, edit.block, edit.index));
    }
    BlockId& entry = blocks[static_cast<size_t>(edit.index)];
    if (!std::equal(cells_of(entry), cells_of(entry) + options_.block_size, cells_of(edit.block))) {
      return violate(fmt::format("blocks {} and {} differ and are merged", entry, edit.block));
    }
    entry = edit.block;
  }
  return true;
}

bool FakeExecutor::is_held(BlockId block) const {
  return std::ranges::any_of(rows_, [&](const Row& row) { return contains(row.blocks, block); });
}

bool FakeExecutor::copy_blocks(const StepInput& input) {
  std::set<BlockId> sources, targets;
  for (const BlockCopy& copy : input.copies) {
    if (!is_block(copy.source) || !is_block(copy.target)) return violate("a copy of or to no block");
    if (copy.slot >= 0 && !has_block(copy.slot, copy.index, copy.source)) {
      return violate(fmt::format("slot {} has no block {} at {}", copy.slot, copy.source, copy.index));
    }
    sources.insert(copy.source);
    if (!targets.insert(copy.target).second)
      return violate(fmt::format("two copies to block {}", copy.target));
    if (is_held(copy.target) || swap_.is_target(copy.target)) {
      return violate(fmt::format("a copy to {}, in use", copy.target));
    }
    if (copy.slot >= 0) {
      rows_[static_cast<size_t>(copy.slot)].blocks[static_cast<size_t>(copy.index)] = copy.target;
    }
    const auto size = static_cast<size_t>(options_.block_size);
    const auto source =
        cells_.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(copy.source) * size);
    std::copy_n(source, size,
                cells_.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(copy.target) * size));
  }
  for (const BlockId source : sources) {
    if (targets.contains(source)) return violate(fmt::format("block {} is copied from and to", source));
  }
  return true;
}

bool FakeExecutor::start_rows(const StepInput& input) {
  for (const RowStart& start : input.starts) {
    if (!is_free(start.slot)) return violate(fmt::format("slot {} starts and is not free", start.slot));
    if (start.num_prompt_tokens < 1 || start.num_prompt_tokens > std::ssize(start.tokens) ||
        !start.sampling) {
      return violate(fmt::format("slot {} starts without a prompt or parameters", start.slot));
    }
    Row& row = rows_[static_cast<size_t>(start.slot)];
    for (const TokenId token : start.tokens) append(row, token);
    row.num_prompt_tokens = start.num_prompt_tokens;
    row.seed = start.seed;
    row.sampling = start.sampling;
    row.started = true;
  }
  return true;
}

bool FakeExecutor::extend_tables(const StepInput& input) {
  std::set<SlotId> worked;
  int64_t used = 0;
  bool decodes_over = false;
  for (const RowWork& work : input.work) {
    if (!is_taken(work.slot))
      return violate(fmt::format("work for slot {}, which is not taken", work.slot));
    if (!worked.insert(work.slot).second) return violate(fmt::format("slot {} has work twice", work.slot));
    if (work.new_blocks < 0 || used + work.new_blocks > std::ssize(input.block_ids)) {
      return violate("too few block ids");
    }
    if (work.num_tokens > 1) decodes_over = true;
    const Row& row = rows_[static_cast<size_t>(work.slot)];
    const bool decodes = work.first_position >= row.num_prompt_tokens && work.num_tokens == 1 &&
                         work.first_position + 1 == std::ssize(row.tokens) && !row.started;
    if (decodes && decodes_over) return violate("a decode after a chunk of a prefill");
    if (!extend_table(work, input.block_ids.data() + used)) return false;
    used += work.new_blocks;
  }
  if (used != std::ssize(input.block_ids)) return violate("more block ids than rows take");
  return true;
}

bool FakeExecutor::extend_table(const RowWork& work, const BlockId* ids) {
  Row& row = rows_[static_cast<size_t>(work.slot)];
  const int64_t end = int64_t{work.first_position} + work.num_tokens;
  // What a row that starts finds in the cache may be shared; that it is this row's is checked when it reads.
  if (row.started) row.num_computed = work.first_position;
  if (work.first_position != row.num_computed || work.first_position < 0 || work.num_tokens < 1 ||
      end > std::ssize(row.tokens)) {
    return violate(fmt::format("slot {} computes {} tokens from {}, but has {} of {}", work.slot,
                               work.num_tokens, work.first_position, row.num_computed, row.tokens.size()));
  }
  for (int32_t i = 0; i < work.new_blocks; ++i) {
    if (!is_block(ids[i]) || swap_.is_target(ids[i])) {
      return violate(fmt::format("slot {} gets block {}", work.slot, ids[i]));
    }
    const bool is_found = row.started && (i + 1) * options_.block_size <= work.first_position;
    if (!is_found && is_held(ids[i])) return violate(fmt::format("block {} is new and in use", ids[i]));
    row.blocks.push_back(ids[i]);
  }
  if (std::ssize(row.blocks) != blocks_for(end, options_.block_size)) {
    return violate(fmt::format("slot {} has {} blocks for {} tokens", work.slot, row.blocks.size(), end));
  }
  return true;
}

bool FakeExecutor::write_cache(const RowWork& work) {
  Row& row = rows_[static_cast<size_t>(work.slot)];
  for (int32_t position = work.first_position; position < work.first_position + work.num_tokens;
       ++position) {
    cell(row, position) = row.histories[static_cast<size_t>(position)];
  }
  row.num_computed = work.first_position + work.num_tokens;
  return true;
}

bool FakeExecutor::read_cache(const RowWork& work) {
  const Row& row = rows_[static_cast<size_t>(work.slot)];
  for (int32_t position = 0; position < row.num_computed; ++position) {
    if (cell(row, position) == row.histories[static_cast<size_t>(position)]) continue;
    return violate(fmt::format("slot {} reads another history at position {} of {}, in block {}", work.slot,
                               position, row.num_computed,
                               row.blocks[static_cast<size_t>(position / options_.block_size)]));
  }
  return true;
}

bool FakeExecutor::grow_rows(const StepInput& input) {
  for (const auto& [slot, token] : input.tokens) {
    if (!is_taken(slot)) return violate(fmt::format("a token for slot {}, which is not taken", slot));
    Row& row = rows_[static_cast<size_t>(slot)];
    if (!row.sampling->use_beam_search || std::ssize(row.tokens) != row.num_computed) {
      return violate(fmt::format("a token for slot {}, which is no beam or awaits none", slot));
    }
    append(row, token);
  }
  return true;
}

bool FakeExecutor::fork_rows(std::span<const RowFork> forks) {
  for (const RowFork& fork : forks) {
    if (!is_taken(fork.parent) || !is_free(fork.child)) {
      return violate(fmt::format("a fork from slot {} to {}", fork.parent, fork.child));
    }
    const Row& parent = rows_[static_cast<size_t>(fork.parent)];
    if (fork.num_tokens != parent.num_computed) {
      return violate(
          fmt::format("a fork at {} of a row that computed {}", fork.num_tokens, parent.num_computed));
    }
    Row child = parent;
    child.tokens.resize(static_cast<size_t>(fork.num_tokens));
    child.histories.resize(static_cast<size_t>(fork.num_tokens));
    for (const TokenId token : fork.tokens) append(child, token);
    child.seed = fork.seed;
    rows_[static_cast<size_t>(fork.child)] = std::move(child);
  }
  return true;
}

bool FakeExecutor::sample_rows(const StepInput& input) {
  int32_t last_row = 0;
  for (const SampleWork& sample_work : input.samples) {
    if (sample_work.row < last_row || sample_work.row >= std::ssize(input.work) ||
        !is_taken(sample_work.slot)) {
      return violate(fmt::format("a sample of slot {} from row {}", sample_work.slot, sample_work.row));
    }
    last_row = sample_work.row;
    Row& row = rows_[static_cast<size_t>(sample_work.slot)];
    const Row& computed = rows_[static_cast<size_t>(input.work[static_cast<size_t>(last_row)].slot)];
    // A fork that samples from its parent's row has the parent's history up to the token that the row
    // computed.
    const auto last = static_cast<size_t>(computed.num_computed) - 1;
    if (row.sampled || row.num_computed != computed.num_computed ||
        std::ssize(row.tokens) != row.num_computed || row.histories[last] != computed.histories[last]) {
      return violate(fmt::format("slot {} cannot sample from row {}", sample_work.slot, sample_work.row));
    }
    sample(sample_work.slot, row);
  }
  for (Row& row : rows_) row.sampled = row.started = false;
  return true;
}

void FakeExecutor::score_prompt(const RowWork& work) {
  if (work.prompt_logprobs_from < 0) return;
  const Row& row = rows_[static_cast<size_t>(work.slot)];
  const int32_t last = std::min(work.first_position + work.num_tokens, row.num_prompt_tokens - 1) - 1;
  if (work.prompt_logprobs_from < work.first_position || work.prompt_logprobs_from > last) {
    violate(
        fmt::format("slot {} scores its prompt from {} to {}", work.slot, work.prompt_logprobs_from, last));
  }
  const int32_t num_top = row.sampling->prompt_logprobs.value_or(0);
  for (int32_t position = work.prompt_logprobs_from; position <= last; ++position) {
    const uint64_t history = row.histories[static_cast<size_t>(position)];
    const TokenId token = row.tokens[static_cast<size_t>(position) + 1];
    output_.prompt_logprobs.push_back({.slot = work.slot,
                                       .position = position + 1,
                                       .token = token,
                                       .logprob = logprob_of(history, token),
                                       .num_top = num_top});
    add_top(output_.prompt_top, history, num_top);
  }
}

// All of the vocabulary, best first, but what stops before min_tokens.
void FakeExecutor::sample_candidates(SlotId slot, Row& row) {
  const auto num_outputs = static_cast<int32_t>(std::ssize(row.tokens)) - row.num_prompt_tokens;
  std::vector<TokenLogprob> candidates;
  for (TokenId token = 0; token < options_.vocab_size; ++token) {
    if (num_outputs < row.sampling->min_tokens && stops(*row.sampling, token)) continue;
    candidates.push_back({token, logprob_of(row.histories.back(), token)});
  }
  std::ranges::stable_sort(candidates, std::ranges::greater(), &TokenLogprob::logprob);
  output_.samples.push_back(
      {.slot = slot, .token = -1, .num_top = static_cast<int32_t>(candidates.size())});
  output_.top.insert(output_.top.end(), candidates.begin(), candidates.end());
  row.sampled = true;
}

void FakeExecutor::sample(SlotId slot, Row& row) {
  const SamplingParams& params = *row.sampling;
  if (params.use_beam_search) return sample_candidates(slot, row);
  const uint64_t history = row.histories.back();
  const auto num_outputs = static_cast<int32_t>(std::ssize(row.tokens)) - row.num_prompt_tokens;
  const uint64_t draw = random_bits(history, params.greedy() ? 0 : row.seed);
  auto token = static_cast<TokenId>(draw % static_cast<uint64_t>(options_.vocab_size));
  for (int32_t i = 0; i < options_.vocab_size && num_outputs < params.min_tokens && stops(params, token);
       ++i) {
    token = (token + 1) % options_.vocab_size;
  }
  const int32_t num_top = params.logprobs.value_or(0);
  output_.samples.push_back(
      {.slot = slot, .token = token, .logprob = logprob_of(history, token), .num_top = num_top});
  add_top(output_.top, history, num_top);
  append(row, token);
  row.sampled = true;
}

void FakeExecutor::append(Row& row, TokenId token) {
  const uint64_t before = row.histories.empty() ? 0 : row.histories.back();
  row.tokens.push_back(token);
  row.histories.push_back(random_bits(before, static_cast<uint64_t>(token)) | 1);  // never 0
}

bool FakeExecutor::is_taken(SlotId slot) const {
  return slot >= 0 && slot < std::ssize(rows_) && rows_[static_cast<size_t>(slot)].sampling != nullptr;
}

bool FakeExecutor::has_block(SlotId slot, int32_t index, BlockId block) const {
  if (!is_taken(slot)) return false;
  const auto& blocks = rows_[static_cast<size_t>(slot)].blocks;
  return index >= 0 && index < std::ssize(blocks) && blocks[static_cast<size_t>(index)] == block;
}

bool FakeExecutor::is_free(SlotId slot) const {
  return slot >= 0 && slot < std::ssize(rows_) && rows_[static_cast<size_t>(slot)].sampling == nullptr;
}

uint64_t& FakeExecutor::cell(const Row& row, int32_t position) {
  const auto block = static_cast<size_t>(row.blocks[static_cast<size_t>(position / options_.block_size)]);
  return cells_[block * static_cast<size_t>(options_.block_size) +
                static_cast<size_t>(position % options_.block_size)];
}

bool FakeExecutor::violate(std::string what) {
  if (violation_.empty()) violation_ = std::move(what);
  return false;
}

}  // namespace quire
