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

void StepPlan::clear() {
  decodes_.clear();
  prefills_.clear();
  copies_.clear();
}

void StepPlan::write(const KvCacheManager& memory, StepInput& input) {
  input.copies.assign(copies_.begin(), copies_.end());
  for (const PlannedRow& row : decodes_) write_row(row, memory, input);
  for (const PlannedRow& row : prefills_) write_row(row, memory, input);
}

void StepPlan::write_row(const PlannedRow& row, const KvCacheManager& memory, StepInput& input) {
  Sequence& sequence = *row.sequence;
  if (!sequence.has_row) {
    input.starts.push_back(start_row(*row.group, sequence));
    sequence.has_row = true;
  }
  const auto& blocks = memory.table(sequence.id).blocks;
  CHECK(std::ssize(blocks) >= sequence.num_blocks_sent);
  input.block_ids.insert(input.block_ids.end(), blocks.begin() + sequence.num_blocks_sent, blocks.end());
  input.work.push_back({.slot = sequence.slot,
                        .first_position = row.first_position,
                        .num_tokens = row.num_tokens,
                        .new_blocks = static_cast<int32_t>(std::ssize(blocks)) - sequence.num_blocks_sent,
                        .prompt_logprobs_from = row.prompt_logprobs_from});
  sequence.num_blocks_sent = static_cast<int32_t>(std::ssize(blocks));
  if (row.samples) {
    input.samples.push_back(
        {.row = static_cast<int32_t>(std::ssize(input.work)) - 1, .slot = sequence.slot});
  }
  if (row.forks) write_forks(row, input);
}

void StepPlan::write_forks(const PlannedRow& row, StepInput& input) {
  const Sequence& parent = *row.sequence;
  for (Sequence& child : row.group->sequences()) {
    if (child.finished() || &child == &parent) continue;
    input.forks.push_back({.parent = parent.slot,
                           .child = child.slot,
                           .seed = child.seed,
                           .num_tokens = child.num_computed,
                           .tokens = child.output});
    child.has_row = true;
    child.num_blocks_sent = parent.num_blocks_sent;
    if (row.samples) {
      input.samples.push_back(
          {.row = static_cast<int32_t>(std::ssize(input.work)) - 1, .slot = child.slot});
    }
  }
}

}  // namespace quire
