"""Bugs that the simulation must catch: each is one small change of one file, planted alone by run.py.

`before` occurs exactly once in the file. What a mutant breaks is said in words, for the report.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    what: str
    file: str
    before: str
    after: str


ALLOCATOR = "src/memory/block_allocator.cpp"
MANAGER = "src/memory/kv_cache_manager.cpp"
MANAGER_PREFIX = "src/memory/kv_cache_manager_prefix.cpp"
PREFIX_CACHE = "src/memory/prefix_cache.cpp"
PREFIX_REUSE = "src/scheduler/prefix_reuse.cpp"
CLAIMS = "src/engine/block_claims.cpp"
GROUP = "src/request/sequence_group.h"
SCHEDULER = "src/scheduler/scheduler.cpp"
PLAN = "src/scheduler/scheduler_plan.cpp"
ADMISSION = "src/scheduler/scheduler_admission.cpp"
UPDATE = "src/scheduler/scheduler_update.cpp"
SWAP = "src/scheduler/scheduler_swap.cpp"
KV_SWAP = "src/memory/kv_cache_swap.cpp"
SWAP_BOOKS = "src/memory/swap_books.cpp"
STEP_PLAN = "src/scheduler/step_plan.cpp"

MUTANTS = [
    Mutant("a block is free while one still holds it", ALLOCATOR,
           "if (--holders_of_taken(block) > 0) return false;\n  free_", "if (--holders_of_taken(block) > 1) return false;\n  free_"),
    Mutant("a new holder is not counted", ALLOCATOR, "  ++holders;\n", ""),
    Mutant("a taken block counts a holder too many", ALLOCATOR, "  holders = 1;\n", "  holders = 2;\n"),
    Mutant("a freed block is listed twice", ALLOCATOR,
           "  free_.push_back(block);\n  return true;\n", "  free_.push_back(block);\n  free_.push_back(block);\n  return true;\n"),
    Mutant("a fork does not hold what it shares", MANAGER,
           "  for (const BlockId block : from.blocks) allocator_.add_holder(block);\n", ""),
    Mutant("a write into a shared block does not copy it", MANAGER,
           "const bool copy_first = writes_shared_block(table);", "const bool copy_first = false;"),
    Mutant("the worker is not told to copy", MANAGER,
           "    copies.push_back({.source = entry, .target = target, .slot = -1, .index = index});\n", ""),
    Mutant("the source of a copy stays held", MANAGER,
           "    allocator_.release(entry);  // never the last holder: it is shared\n", ""),
    Mutant("the copy does not enter the table", MANAGER, "    entry = target;\n", ""),
    Mutant("after a fork both write where they wrote before", MANAGER,
           "  from.num_writable = to.num_writable = 0;\n", ""),
    Mutant("a block with two holders counts as one's own", MANAGER,
           "allocator_.num_holders(table.blocks[index]) > 1;", "allocator_.num_holders(table.blocks[index]) > 2;"),
    Mutant("filled slots of freed blocks stay counted", MANAGER,
           "    if (release(table.blocks[i])) slots_filled_ -= tokens_in_block(table, i);\n",
           "    release(table.blocks[i]);\n"),
    Mutant("a token too many", GROUP, "return full || num_outputs >= max_tokens_ ?",
           "return full || num_outputs > max_tokens_ ?"),
    Mutant("the row of an ended sequence goes on", SCHEDULER,
           "  if (sequence.has_row && !unborn) ends_.push_back(slot);\n", ""),
    Mutant("a preempted sequence believes that its tokens are in the cache", SCHEDULER,
           "  sequence.num_computed = 0;\n", ""),
    Mutant("a preempted sequence believes that the worker knows its blocks", SCHEDULER,
           "  sequence.num_blocks_sent = 0;\n", ""),
    Mutant("a preempted sequence still awaits its tokens", SCHEDULER, "  sequence.num_in_flight = 0;\n  sequence.num_computed", "  sequence.num_computed"),
    Mutant("a request that has ended is still known", SCHEDULER, "  by_id_.erase(group.id());\n", ""),
    Mutant("a prefill's chunk is computed again", PLAN, "  sequence.num_computed += fit;\n", ""),
    Mutant("a token that came is still awaited", UPDATE, "    --sequence->num_in_flight;\n", ""),
    Mutant("a preempted request with several continuations does not fork again", SWAP,
           "  group.forked = group.returned = false;\n", "  group.returned = false;\n"),
    Mutant("a group with work in this step is preempted", ADMISSION,
           "if (&newest == &group || std::ranges::any_of(newest.sequences(), has_work)) return false;",
           "if (&newest == &group) return false;"),
    Mutant("a fork does not know what it shares", PLAN, "    child.num_computed = leader.num_computed;\n", ""),
    Mutant("a decode's copy names no row", PLAN,
           "  if (copies.size() > num_copies) copies.back().slot = sequence.slot;\n  ++sequence.num_computed;\n",
           "  ++sequence.num_computed;\n"),
    Mutant("continuations draw the same tokens", STEP_PLAN, ".seed = child.seed,", ".seed = parent.seed,"),
    Mutant("a preempted continuation forgets what it said", STEP_PLAN, ".tokens = child.output});",
           ".tokens = {}});"),
    Mutant("a preempted request is computed again without its output", STEP_PLAN,
           "  start.tokens.insert(start.tokens.end(), sequence.output.begin(), sequence.output.end());\n", ""),
    Mutant("a fork sends its blocks once more", STEP_PLAN,
           "    child.num_blocks_sent = parent.num_blocks_sent;\n", ""),
    Mutant("who ran and was preempted counts as overdue", SCHEDULER,
           "    if (group->times.first_scheduled_ns != kNotYet) continue;\n", ""),
    Mutant("cached blocks are told apart by their digests alone", PREFIX_CACHE,
           "found.parent_serial == parent.serial &&\n        std::ranges::equal(this->tokens(block), tokens)", "true"),
    Mutant("a cached block is found after any other", PREFIX_CACHE, "found.parent_serial == parent.serial &&", ""),
    Mutant("an evicted block is still found", PREFIX_CACHE, "  remove_from_bucket(block);\n", ""),
    Mutant("a found block is not held", MANAGER_PREFIX, "  for (const BlockId block : match.blocks) {\n    hold_cached(block);\n",
           "  for (const BlockId block : match.blocks) {\n"),
    Mutant("the worker is not told that blocks merged", MANAGER_PREFIX,
           "    edits.push_back({.slot = slot, .index = num_cached, .block = cached});\n", ""),
    Mutant("the head of a prefix is evicted before its tail", MANAGER,
           "for (size_t i = table.blocks.size(); i-- > 0;) {\n    if (release(table.blocks[i]))",
           "for (size_t i = 0; i < table.blocks.size(); ++i) {\n    if (release(table.blocks[i]))"),
    Mutant("a prompt is found whole, and nothing is left to compute", PREFIX_REUSE, "num_tokens - 1;", "num_tokens;"),
    Mutant("prompt log-probabilities are owed for tokens that were found", PREFIX_REUSE,
           "owes_logprobs ? group.next_prompt_logprob - 1 : num_tokens - 1", "num_tokens - 1"),
    Mutant("a row that has ended is told of merged blocks", SCHEDULER, "  prefixes_.drop_edits(slot);\n", ""),
    Mutant("blocks of a step under way are cached when it ends in failure", SCHEDULER,
           "if (!sequence.has_row || group.num_beams > 0 ||", "if (sequence.num_computed == 0 || group.num_beams > 0 ||"),
    Mutant("a table names another swap slot than its block went to", KV_SWAP,
           "      swapped.swap_slots.push_back(swap_slot);\n", "      swapped.swap_slots.push_back(swap_slot == 0 ? 1 : swap_slot);\n"),
    Mutant("the worker is not told what comes in", KV_SWAP,
           "        swap_ins.push_back({.swap_slot = swapped.swap_slots[index], .block = block});\n", ""),
    Mutant("continuations that come back do not hold what they share", KV_SWAP,
           "        allocator_.add_holder(block);\n", ""),
    Mutant("a swap slot is free while a continuation still has it", SWAP_BOOKS,
           "if (--holders_[static_cast<size_t>(slots[i])] == 0)", "if (--holders_[static_cast<size_t>(slots[i])] <= 1)"),
    Mutant("swap slots are never given back", SWAP_BOOKS, "  tables_.erase(found);\n", ""),
    Mutant("who comes back resumes a token off", SWAP,
           "    sequence.num_computed = memory_.table(sequence.slot).num_tokens;\n",
           "    sequence.num_computed = memory_.table(sequence.slot).num_tokens - 1;\n"),
    Mutant("who comes back runs before all of it has arrived", SWAP,
           "    if (found->pending.empty()) end_return(", "    end_return("),
    Mutant("swap slots are free before they were read", SWAP,
           "  counts_.num_blocks_in += std::ssize(entry.pending);\n",
           "  counts_.num_blocks_in += std::ssize(entry.pending);\n"
           "  for (const Sequence& sequence : group.sequences()) memory_.drop_swapped(sequence.id);\n"),
    Mutant("the worker is not told what need not come any more", SWAP,
           "  swap_cancels_.insert(swap_cancels_.end(), entry.pending.begin(), entry.pending.end());\n", ""),
    Mutant("what was lost is waited for", SWAP, "    if (group != nullptr) recompute_swapped(*group);\n", ""),
    Mutant("after a failed step the swap space is believed", SCHEDULER, "  forget_swapped();\n", ""),
    Mutant("a sequence that ends in the swap space stays there", SCHEDULER,
           "  if (in_swap) memory_.drop_swapped(sequence.id);\n", ""),
    Mutant("forks that come back have no rows", SWAP, "  group->returned = group->forked;\n", ""),
    Mutant("beams that have candidates are swapped", SWAP,
           "  if (group.num_beams > 0 && searches_.at(group.id()).has_candidates()) return false;\n", ""),
    Mutant("a pinned block is not held", MANAGER_PREFIX, "  for (const BlockId block : blocks) hold_cached(block);\n", ""),
    Mutant("a prefix that is given up stays held", MANAGER_PREFIX,
           "    if (release(blocks[i])) slots_filled_ -= block_size_;\n", ""),
    Mutant("a prefix is given up from its head", MANAGER_PREFIX,
           "for (size_t i = blocks.size(); i-- > 0;) {  // last one first, as in free()",
           "for (size_t i = 0; i < blocks.size(); ++i) {"),
    Mutant("a prefix that several have pinned counts once for each", CLAIMS,
           "  const int64_t num_blocks = total - most_common(claim, [](const Pin&) { return true; });\n",
           "  const int64_t num_blocks = total;\n"),
    Mutant("a request is let in that has no room beside what is pinned", CLAIMS,
           "  if (needed > room_for(claim)) {\n", "  if (needed > limits_.num_blocks) {\n"),
    Mutant("a prefix is pinned that leaves no room for who was let in", CLAIMS,
           "    if (num_blocks == 0 || peak <= left) continue;\n", "    if (peak <= limits_.num_blocks) continue;\n"),
    Mutant("a request counts on a prefix that is not computed yet", CLAIMS,
           "[](const Pin& pin) { return pin.complete; }", "[](const Pin&) { return true; }"),
    Mutant("a prefix that was never computed stays claimed", CLAIMS,
           "found != pins_.end() && !found->second.complete) remove(id);", "found != pins_.end() && false) remove(id);"),
]
