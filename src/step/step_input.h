// One step as plain data: what the scheduler tells a worker. It is what rank 0 would broadcast and what
// tests fabricate, so it holds no pointer. A worker keeps one row a slot (tokens, sampling parameters,
// block table, position); a step carries changes only. A worker applies it in the order of the members:
// ends, swap_cancels, swap_outs, edits, branches, tokens, copies, swap_ins, starts, work, forks, samples. So
// a fork sees the blocks that its parent's work brought in the same step, and what is swapped out is what
// the last step left.
//
// The worker appends every token it samples to the slot's row, so a decode names no token: the row's next
// tokens to compute are always those at [first_position, first_position + num_tokens) of its history. A row
// of a beam search samples candidates instead and appends nothing; its tokens come in `tokens`. A row that
// pools answers its sample with an embedding, and ends.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"

namespace quire {

// A sequence that enters (or, after preemption, re-enters) the worker. Its block table starts empty.
struct RowStart {
  SlotId slot = 0;
  std::vector<TokenId> tokens;  // prompt, then what was generated before a preemption
  int32_t num_prompt_tokens = 0;
  uint64_t seed = 0;
  std::shared_ptr<const SamplingParams> sampling;
};

// `child`, an empty slot, becomes a copy of `parent` with its own seed: sampling parameters, number of
// prompt tokens, the block table as it is after this step's work, and the first `num_tokens` of its
// history, which `tokens` then follow. The blocks' reference counts are the scheduler's matter.
struct RowFork {
  SlotId parent = 0;
  SlotId child = 0;
  uint64_t seed = 0;
  // Those in the cache: the parent's first_position + num_tokens after this step's work.
  int32_t num_tokens = 0;
  std::vector<TokenId> tokens;  // what the child had generated before a preemption
};

// A token that the scheduler chose for a row, appended to its history: how beams grow.
struct RowToken {
  SlotId slot = 0;
  TokenId token = 0;
};

// Copies a whole block (all layers) before anything is computed: copy-on-write. Slot's table entry `index`
// is then `target`; with slot -1 a row that starts in this step names the target already. No block is both
// a source and a target in one step, so the copies may run in any order.
struct BlockCopy {
  BlockId source = 0;
  BlockId target = 0;
  SlotId slot = 0;
  int32_t index = 0;  // logical block of the slot's table that moves from source to target
};

// Entry `index` of the slot's table is now `block`, which holds the same bit for bit: two sequences computed
// the same full block, and one copy of it is enough. What the entry named before may be taken anew in this
// very step.
struct BlockEdit {
  SlotId slot = 0;
  int32_t index = 0;
  BlockId block = 0;
};

// Keeps the content of a whole block in the swap space; what the slot held before is lost. The block may be
// written from then on.
struct SwapOut {
  BlockId block = 0;
  SwapSlotId swap_slot = 0;
};

// Brings the content of a swap slot into a block, in this step or in a later one: StepOutput tells once for
// each whether it has arrived or is lost. Until then nobody else names the block, and nobody the slot. A
// step without work that finds any under way waits a while for one of them.
struct SwapIn {
  SwapSlotId swap_slot = 0;
  BlockId block = 0;
};

// Tokens of one slot to compute in this step. A row that starts may find keys and values in the cache: its
// first_position says how many tokens of them, and its new blocks include theirs. So does one that comes
// back from the swap space.
struct RowWork {
  SlotId slot = 0;
  int32_t first_position = 0;  // tokens whose keys and values are in the cache already
  int32_t num_tokens = 0;      // at least 1
  int32_t new_blocks = 0;      // entries of StepInput::block_ids appended to the slot's table
  // First position whose logits are to score the prompt's next token (the logits at p speak of p + 1), not
  // below first_position; -1: none. The last one is
  // min(first_position + num_tokens, num_prompt_tokens - 1) - 1.
  int32_t prompt_logprobs_from = -1;
};

// Sample a token for `slot` from the logits of the last token of work[row]. Several samples may name one
// row: the children of a fork after its prefill. In the order of the rows.
struct SampleWork {
  int32_t row = 0;
  SlotId slot = 0;
};

struct StepInput {
  int64_t step_id = 0;
  std::vector<SlotId> ends;
  // Swap-ins that nobody waits for any more: their blocks are not written and their slots not spoken of
  // again. One that has arrived meanwhile is no error.
  std::vector<SwapSlotId> swap_cancels;
  std::vector<SwapOut> swap_outs;
  std::vector<BlockEdit> edits;
  std::vector<RowFork> branches;  // as forks, but of the rows as the step before left them
  std::vector<RowToken> tokens;
  std::vector<BlockCopy> copies;
  std::vector<SwapIn> swap_ins;
  std::vector<RowStart> starts;
  std::vector<RowWork> work;       // decodes first, then chunks of prefills; at most one a slot
  std::vector<BlockId> block_ids;  // new blocks of work[0], work[1], ... in that order
  std::vector<RowFork> forks;
  std::vector<SampleWork> samples;

  // Empties every list and keeps the capacity.
  void clear();
  // Room for a step of so many decodes.
  void reserve(int32_t num_rows);
};

}  // namespace quire
