// Which tokens the grammars of a worker's rows let come next. A matcher a slot follows the row's history: it
// is made from the row's tokens when it is first needed, so rows that start anew after a preemption need
// nothing special, and forks begin where their parent stands.
//
// Grammars that can be read in very many ways take longer with every token. A row whose next token takes
// longer than a budget to follow or to find, in time of the thread's own, is given up: nothing may follow.
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

// One thread calls all of it.
class GrammarMasks {
 public:
  static constexpr int64_t kBudgetNs = 500'000'000;

  // `rows` outlives it.
  GrammarMasks(const RowTable& rows, int32_t num_slots, int64_t budget_ns = kBudgetNs)
      : rows_(rows), budget_ns_(budget_ns), slots_(static_cast<size_t>(num_slots)) {}
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
    bool lost = false;  // its history is none of the grammar's, or it took too long
  };

  void fork(const RowFork& fork);
  // Follows the row's history and fills its mask.
  void update(SlotId slot);
  // Does one thing with a slot's matcher; the slot is lost if it fails or takes too long.
  void spend(Slot& slot, FunctionRef<bool(GrammarMatcher& matcher)> act) const;
  void work();

  const RowTable& rows_;
  const int64_t budget_ns_;
  std::vector<Slot> slots_;
  std::vector<SlotId> pending_;           // what the thread is to update
  std::atomic<uint32_t> num_started_{0};  // batches; wraps
  std::atomic<uint32_t> num_done_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace quire
