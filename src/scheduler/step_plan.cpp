#include "scheduler/step_plan.h"

#include "base/check.h"

namespace quire {
namespace {

RowStart start_row(const SequenceGroup& group, const Sequence& sequence) {
  RowStart start{.slot = sequence.slot,
                 .tokens = {},
                 .num_prompt_tokens = group.num_prompt_tokens(),
                 .seed = sequence.seed,
                 .sampling = group.params()};
  start.tokens.reserve(static_cast<size_t>(group.num_tokens(sequence)));
  start.tokens = group.prompt();
  start.tokens.insert(start.tokens.end(), sequence.output.begin(), sequence.output.end());
  return start;
}

}  // namespace

void StepPlan::begin(StepInput& input) {
  input.clear();
  input_ = &input;
  prefills_.clear();
  samples_.clear();
  scored_.clear();
  filled_.clear();
}

void StepPlan::write(const KvCacheManager& memory) {
  for (const PlannedRow& row : prefills_) write_row(row, memory);
}

void StepPlan::send_blocks(const Sequence& sequence, const BlockTable& table) {
  CHECK(std::ssize(table.blocks) >= sequence.num_blocks_sent);
  input_->block_ids.insert(input_->block_ids.end(), table.blocks.begin() + sequence.num_blocks_sent,
                           table.blocks.end());
}

void StepPlan::write_row(const PlannedRow& row, const KvCacheManager& memory) {
  Sequence& sequence = *row.sequence;
  if (!sequence.has_row) {
    input_->starts.push_back(start_row(*row.group, sequence));
    sequence.has_row = true;
  }
  const BlockTable& table = memory.table(sequence.slot);
  send_blocks(sequence, table);
  const auto num_blocks = static_cast<int32_t>(table.blocks.size());
  input_->work.push_back({.slot = sequence.slot,
                          .first_position = row.first_position,
                          .num_tokens = row.num_tokens,
                          .new_blocks = num_blocks - sequence.num_blocks_sent,
                          .prompt_logprobs_from = row.prompt_logprobs_from});
  sequence.num_blocks_sent = num_blocks;
  add_filled(sequence);
  if (row.prompt_logprobs_from >= 0) scored_.push_back({.slot = sequence.slot, .sequence = sequence.id});
  if (row.samples) add_sample(sequence);
  if (row.forks) write_forks(row);
}

void StepPlan::write_forks(const PlannedRow& row) {
  const Sequence& parent = *row.sequence;
  for (Sequence& child : row.group->entrants()) {
    if (child.finished() || &child == &parent) continue;
    input_->forks.push_back({.parent = parent.slot,
                             .child = child.slot,
                             .seed = child.seed,
                             .num_tokens = child.num_computed,
                             .tokens = child.output});
    child.has_row = true;
    child.num_blocks_sent = parent.num_blocks_sent;
    add_filled(child);
    if (row.samples) add_sample(child);
  }
}

}  // namespace quire
