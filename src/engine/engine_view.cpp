#include "engine/engine_view.h"

#include <algorithm>
#include <cstddef>

namespace quire {

void EngineView::reserve() {
  cells.reserve(kMaxCells);
  sequences.reserve(kMaxSequences);
  table_entries.reserve(kMaxTableEntries);
  waiting.reserve(kMaxWaiting);
  steps.reserve(StepLog::kMaxSteps);
}

void EngineView::take(const Scheduler& scheduler, const KvCacheManager& memory, const StepLog& log) {
  take_cells(memory);
  take_sequences(scheduler, memory);
  take_waiting(scheduler);
  log.copy(steps);
}

void EngineView::take_cells(const KvCacheManager& memory) {
  num_touched_blocks = memory.num_touched_blocks();
  blocks_per_cell = std::max(1, (num_touched_blocks + kMaxCells - 1) / kMaxCells);
  cells.clear();
  const PrefixCache* cache = memory.prefix_cache();
  for (BlockId begin = 0; begin < num_touched_blocks; begin += blocks_per_cell) {
    BlockCell cell;
    const BlockId end = std::min(begin + blocks_per_cell, num_touched_blocks);
    for (BlockId block = begin; block < end; ++block) {
      const int32_t num_holders = memory.num_holders(block);
      cell.most_holders = std::max(cell.most_holders, num_holders);
      if (num_holders > 0) {
        ++cell.num_held;
      } else if (cache != nullptr && cache->contains(block)) {
        ++cell.num_kept;
      }
    }
    cells.push_back(cell);
  }
}

void EngineView::take_sequences(const Scheduler& scheduler, const KvCacheManager& memory) {
  num_sequences = 0;
  sequences.clear();
  table_entries.clear();
  for (const auto& group : scheduler.running()) take_group(*group, memory);
  for (const auto& returning : scheduler.returning()) take_group(*returning.group, memory);
}

void EngineView::take_group(const SequenceGroup& group, const KvCacheManager& memory) {
  for (const Sequence& sequence : group.sequences()) {
    if (sequence.finished() || !memory.contains(sequence.slot)) continue;
    ++num_sequences;
    if (sequences.size() == kMaxSequences) continue;
    ViewedSequence view{.request = group.id(),
                        .index = sequence.index,
                        .num_prompt_tokens = group.num_prompt_tokens(),
                        .num_output_tokens = static_cast<int32_t>(sequence.output.size()),
                        .num_computed = sequence.num_computed,
                        .num_cached_tokens = group.num_cached_tokens,
                        .num_preemptions = group.num_preemptions,
                        .arrival_ns = group.times.arrival_ns,
                        .first_token_ns = group.times.first_token_ns,
                        .last_token_ns = sequence.last_token_ns};
    if (group.state() == GroupState::kReturning) {
      view.phase = SequencePhase::kReturn;
    } else if (!sequence.output.empty() && sequence.num_computed + 1 >= group.num_tokens(sequence)) {
      view.phase = SequencePhase::kDecode;
    }
    take_table(view, memory.table(sequence.slot));
    sequences.push_back(view);
  }
}

void EngineView::take_table(ViewedSequence& sequence, const BlockTable& table) {
  const size_t room = kMaxTableEntries - table_entries.size();
  const size_t count = std::min(room, table.blocks.size());
  sequence.num_blocks = static_cast<int32_t>(table.blocks.size());
  sequence.first_entry = static_cast<int32_t>(table_entries.size());
  sequence.num_entries = static_cast<int32_t>(count);
  table_entries.insert(table_entries.end(), table.blocks.begin(),
                       table.blocks.begin() + static_cast<std::ptrdiff_t>(count));
}

void EngineView::take_waiting(const Scheduler& scheduler) {
  num_queued = static_cast<int32_t>(scheduler.waiting().size());
  waiting.clear();
  for (const auto& group : scheduler.waiting()) {
    if (waiting.size() == kMaxWaiting) return;
    ViewedRequest& view = waiting.emplace_back();
    view.request = group->id();
    view.num_sequences = group->num_unfinished();
    view.num_prompt_tokens = group->num_prompt_tokens();
    for (const Sequence& sequence : group->sequences())
      view.num_output_tokens += static_cast<int32_t>(sequence.output.size());
    view.num_preemptions = group->num_preemptions;
    view.swapped = group->state() == GroupState::kSwapped;
    view.arrival_ns = group->times.arrival_ns;
  }
}

}  // namespace quire
