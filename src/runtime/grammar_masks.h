// Which tokens the grammars of a worker's rows let come next. A matcher a slot follows the row's history: it
// is made from the row's tokens when it is first needed, so rows that start anew after a preemption need
// nothing special, and forks begin where their parent stands.
//
// Grammars that can be read in very many ways take longer with every token. What it takes to follow them and
// to find their next tokens, in time of the thread's own, comes out of a budget of the row, to which each
// token adds; a row that has spent it is given up: nothing may follow.
//
// Masks are made on a thread of their own while the forward pass runs whose logits they are for: the tokens
// that a pass computes are known when it begins. The thread starts with the first grammar; rows without one
// cost a look at a pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/function_ref.h"
#include "grammar/compiled_grammar.h"
#include "runtime/row_table.h"
#include "step/step_input.h"

namespace quire {

struct MaskBudget {
  int64_t most_ns = 500'000'000;      // that a row can have, and what it begins with
  int64_t per_token_ns = 20'000'000;  // that a token adds
};

// Time that the calling thread has computed.
int64_t thread_time_ns();

// One thread calls all of it.
class GrammarMasks {
 public:
  // `rows` outlives it. `now_ns`: what is measured by.
  GrammarMasks(const RowTable& rows, int32_t num_slots, const MaskBudget& budget = {},
               int64_t (*now_ns)() = thread_time_ns)
      : rows_(rows), budget_(budget), now_ns_(now_ns), slots_(static_cast<size_t>(num_slots)) {}
  ~GrammarMasks();

  // Before RowTable::begin_step: rows that end, and branches, which still see their parent as the last step
  // left it.
  void begin_step(const StepInput& input);

  // After it: begins to make the masks of the samples whose rows there are already; rows do not change until
  // finish().
  void start(std::span<const SampleWork> samples);
  // After the forward pass and RowTable::fork: waits, and makes the masks of forks.
  void finish(const StepInput& input);

  // For the row's next token; empty without a grammar, no bit set if nothing may follow.
  std::span<const uint32_t> mask(SlotId slot) const {
    const Slot& entry = slots_[static_cast<size_t>(slot)];
    return entry.matcher ? std::span<const uint32_t>(entry.mask) : std::span<const uint32_t>();
  }

 private:
  struct Slot {
    std::optional<GrammarMatcher> matcher;
    TokenMask mask;
    int64_t left_ns = 0;  // of its budget
    bool lost = false;    // its history is none of the grammar's, or it took too long
  };

  void fork(const RowFork& fork);
  // Follows the row's history and fills its mask.
  void update(SlotId slot);
  // Does one thing with a slot's matcher; the slot is lost if it fails or the budget is spent.
  void spend(Slot& slot, FunctionRef<bool(GrammarMatcher& matcher)> act) const;
  void work();

  const RowTable& rows_;
  const MaskBudget budget_;
  int64_t (*const now_ns_)();
  std::vector<Slot> slots_;
  std::vector<SlotId> pending_;           // what the thread is to update
  std::atomic<uint32_t> num_started_{0};  // batches; wraps
  std::atomic<uint32_t> num_done_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace quire
