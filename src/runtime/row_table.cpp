#include "runtime/row_table.h"

#include "base/check.h"

namespace quire {
namespace {

// Empties a row and keeps its capacity.
void reset(WorkerRow& row) {
  row.tokens.clear();
  row.block_ids.clear();
  row.sampling.reset();
  row.pooled.clear();
  row.num_pooled = 0;
}

}  // namespace

void RowTable::begin_step(const StepInput& input) {
  for (const SlotId slot : input.ends) {
    CHECK(row(slot).sampling != nullptr, "slot {} ends twice", slot);
    reset(row(slot));
  }
  for (const BlockEdit& edit : input.edits) {
    row(edit.slot).block_ids[static_cast<size_t>(edit.index)] = edit.block;
  }
  fork(input.branches);
  for (const auto& [slot, token] : input.tokens) row(slot).tokens.push_back(token);
  for (const BlockCopy& copy : input.copies) {
    if (copy.slot < 0) continue;  // of a row that starts
    row(copy.slot).block_ids[static_cast<size_t>(copy.index)] = copy.target;
  }
  for (const RowStart& start : input.starts) {
    WorkerRow& fresh = row(start.slot);
    CHECK(fresh.sampling == nullptr, "slot {} starts while taken", start.slot);
    fresh.num_prompt_tokens = start.num_prompt_tokens;
    fresh.seed = start.seed;
    fresh.sampling = start.sampling;
    reserve(fresh);
    fresh.tokens.assign(start.tokens.begin(), start.tokens.end());
  }
  size_t next_block = 0;
  for (const RowWork& work : input.work) {
    auto& table = row(work.slot).block_ids;
    for (int32_t i = 0; i < work.new_blocks; ++i) table.push_back(input.block_ids[next_block++]);
  }
  CHECK(next_block == input.block_ids.size());
}

void RowTable::fork(std::span<const RowFork> forks) {
  for (const RowFork& fork : forks) {
    const WorkerRow& parent = row(fork.parent);
    WorkerRow& child = row(fork.child);
    CHECK(child.sampling == nullptr && parent.sampling != nullptr);
    child.num_prompt_tokens = parent.num_prompt_tokens;
    child.seed = fork.seed;
    child.sampling = parent.sampling;
    reserve(child);
    child.tokens.assign(parent.tokens.begin(), parent.tokens.begin() + fork.num_tokens);
    child.tokens.insert(child.tokens.end(), fork.tokens.begin(), fork.tokens.end());
    child.block_ids = parent.block_ids;
  }
}

void RowTable::reserve(WorkerRow& row) const {
  const int64_t num_tokens = int64_t{row.num_prompt_tokens} + row.sampling->max_tokens;
  row.tokens.reserve(static_cast<size_t>(num_tokens));
  row.block_ids.reserve(static_cast<size_t>(num_tokens / block_size_ + 1));
}

void RowTable::clear() {
  for (WorkerRow& row : rows_) reset(row);
}

}  // namespace quire
