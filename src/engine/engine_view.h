// What the engine looks like between two steps: its blocks, its sequences and their tables, what is swapped
// out, who waits, and the last steps. Plain data of bounded size, whatever the pool and the load: a large
// pool comes in cells of several blocks, long lists are cut and say so by their counts. Made by the loop
// thread when somebody asks; the asker's reserve() gives it the memory, so that the loop allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "engine/llm_engine.h"
#include "engine/step_log.h"
#include "memory/kv_cache_manager.h"
#include "scheduler/scheduler.h"

namespace quire {

// Blocks with neighbouring ids.
struct BlockCell {
  int32_t num_held = 0;      // somebody holds them
  int32_t num_kept = 0;      // nobody does, but the prefix cache knows their content
  int32_t most_holders = 0;  // of one block
};

enum class SequencePhase : uint8_t {
  kPrefill,  // of its prompt or, after a preemption, of all that it had
  kDecode,
  kReturn,  // it has blocks, and waits for what the swap space kept of it
};

struct ViewedSequence {
  RequestId request = 0;
  int32_t index = 0;  // which of its request's continuations, or beams
  SequencePhase phase = SequencePhase::kPrefill;
  int32_t num_prompt_tokens = 0;
  int32_t num_output_tokens = 0;
  int32_t num_computed = 0;       // the steps under way included
  int32_t num_cached_tokens = 0;  // of the prompt, that the prefix cache had
  int32_t num_preemptions = 0;    // of the request
  int64_t arrival_ns = kNotYet, first_token_ns = kNotYet, last_token_ns = kNotYet;
  int32_t num_blocks = 0;
  // Its block table, in EngineView::table_entries: shorter than num_blocks where the view is full.
  int32_t first_entry = 0, num_entries = 0;
};

// What the swap space keeps of a sequence.
struct ViewedSwappedTable {
  RequestId request = 0;
  int32_t index = 0;
  int32_t num_slots = 0;
  // In EngineView::swap_entries: fewer than num_slots where the view is full.
  int32_t first_entry = 0, num_entries = 0;
};

struct ViewedRequest {
  RequestId request = 0;
  int32_t num_sequences = 0;
  int32_t num_prompt_tokens = 0;
  int32_t num_output_tokens = 0;  // of all of its sequences: those of one that was preempted
  int32_t num_preemptions = 0;
  bool swapped = false;  // what it has computed is in the swap space
  int64_t arrival_ns = kNotYet;
};

// Since the engine started; times in seconds.
struct EngineTotals {
  int64_t prompt_tokens = 0, generation_tokens = 0;
  double first_token_sum = 0, token_gap_sum = 0;
  int64_t num_first_tokens = 0, num_token_gaps = 0;
};

struct EngineView {
  static constexpr int32_t kMaxCells = 4096;
  static constexpr int32_t kMaxSequences = 128;  // that have blocks, and as many that are swapped out
  static constexpr int32_t kMaxWaiting = 64;
  static constexpr int32_t kMaxTableEntries = 8192;  // of all tables of blocks, and of swap slots

  int64_t now_ns = 0;
  EngineStats stats;
  EngineTotals totals;
  int32_t num_touched_blocks = 0;  // cells cover the blocks below; those above were never taken
  int32_t blocks_per_cell = 1;
  std::vector<BlockCell> cells;
  int32_t num_sequences = 0;  // that have blocks, with and without a place in the list
  std::vector<ViewedSequence> sequences;
  std::vector<BlockId> table_entries;
  int32_t num_touched_swap_slots = 0;  // as for blocks
  int32_t swap_slots_per_cell = 1;
  std::vector<int32_t> swap_cells;          // how many slots of each are taken
  std::vector<ViewedSwappedTable> swapped;  // those on their way back too
  std::vector<SwapSlotId> swap_entries;
  int32_t num_queued = 0;              // that wait, swapped ones among them
  std::vector<ViewedRequest> waiting;  // in no order but the scheduler's
  std::vector<LoggedStep> steps;

  // All the memory that it will ever need.
  void reserve();

  // Loop thread: everything but stats, totals and now_ns.
  void take(const Scheduler& scheduler, const KvCacheManager& memory, const StepLog& log);

 private:
  void take_cells(const KvCacheManager& memory);
  void take_sequences(const Scheduler& scheduler, const KvCacheManager& memory);
  void take_group(const SequenceGroup& group, const KvCacheManager& memory);
  void take_table(ViewedSequence& sequence, const BlockTable& table);
  void take_swap_cells(const SwapBooks& books);
  void take_swapped(const Scheduler& scheduler, const SwapBooks& books);
  void take_swapped_group(const SequenceGroup& group, const SwapBooks& books);
  void take_waiting(const Scheduler& scheduler);
};

}  // namespace quire
