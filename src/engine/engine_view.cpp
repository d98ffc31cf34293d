#include "engine/engine_view.h"

#include <algorithm>
#include <cstddef>

namespace quire {
namespace {

int32_t per_cell(int32_t count) {
  return std::max(1, (count + EngineView::kMaxCells - 1) / EngineView::kMaxCells);
}

// As many of `from` as there is room for in `to`; how many that were.
int32_t append_some(std::vector<int32_t>& to, const std::vector<int32_t>& from) {
  const auto count =
      std::min<std::ptrdiff_t>(EngineView::kMaxTableEntries - std::ssize(to), std::ssize(from));
  to.insert(to.end(), from.begin(), from.begin() + count);
  return static_cast<int32_t>(count);
}

}  // namespace

void EngineView::reserve() {
  cells.reserve(kMaxCells);
  sequences.reserve(kMaxSequences);
  table_entries.reserve(kMaxTableEntries);
  swap_cells.reserve(kMaxCells);
  swapped.reserve(kMaxSequences);
  swap_entries.reserve(kMaxTableEntries);
  waiting.reserve(kMaxWaiting);
  steps.reserve(StepLog::kMaxSteps);
}

void EngineView::take(const Scheduler& scheduler, const KvCacheManager& memory, const StepLog& log) {
  take_cells(memory);
  take_sequences(scheduler, memory);
  take_swap_cells(memory.swap_books());
  take_swapped(scheduler, memory.swap_books());
  take_waiting(scheduler);
  log.copy(steps);
}

void EngineView::take_cells(const KvCacheManager& memory) {
  num_touched_blocks = memory.num_touched_blocks();
  blocks_per_cell = per_cell(num_touched_blocks);
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
  sequence.num_blocks = static_cast<int32_t>(table.blocks.size());
  sequence.first_entry = static_cast<int32_t>(table_entries.size());
  sequence.num_entries = append_some(table_entries, table.blocks);
}

void EngineView::take_swap_cells(const SwapBooks& books) {
  num_touched_swap_slots = books.num_touched();
  swap_slots_per_cell = per_cell(num_touched_swap_slots);
  swap_cells.clear();
  for (SwapSlotId begin = 0; begin < num_touched_swap_slots; begin += swap_slots_per_cell) {
    const SwapSlotId end = std::min(begin + swap_slots_per_cell, num_touched_swap_slots);
    int32_t& num_taken = swap_cells.emplace_back(0);
    for (SwapSlotId slot = begin; slot < end; ++slot) num_taken += books.is_taken(slot) ? 1 : 0;
  }
}

void EngineView::take_swapped(const Scheduler& scheduler, const SwapBooks& books) {
  swapped.clear();
  swap_entries.clear();
  if (books.num_tables() == 0) return;
  for (const auto& returning : scheduler.returning()) take_swapped_group(*returning.group, books);
  for (const auto& group : scheduler.waiting()) {
    if (group->state() == GroupState::kSwapped) take_swapped_group(*group, books);
  }
}

void EngineView::take_swapped_group(const SequenceGroup& group, const SwapBooks& books) {
  for (const Sequence& sequence : group.sequences()) {
    if (swapped.size() == kMaxSequences) return;
    const SwappedTable* table = books.find(sequence.id);
    if (table == nullptr) continue;
    ViewedSwappedTable& view = swapped.emplace_back();
    view.request = group.id();
    view.index = sequence.index;
    view.num_slots = static_cast<int32_t>(table->swap_slots.size());
    view.first_entry = static_cast<int32_t>(swap_entries.size());
    view.num_entries = append_some(swap_entries, table->swap_slots);
  }
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
