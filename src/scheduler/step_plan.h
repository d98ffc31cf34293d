// The rows chosen for one step, before they are written out as a StepInput. Reused from step to step, so
// that steady decoding allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "memory/kv_cache_manager.h"
#include "request/sequence_group.h"
#include "step/step_input.h"

namespace quire {

struct PlannedRow {
  SequenceGroup* group = nullptr;
  Sequence* sequence = nullptr;
  int32_t first_position = 0;
  int32_t num_tokens = 0;
  int32_t prompt_logprobs_from = -1;
  bool samples = false;  // its last token is the sequence's last: a new one is sampled
  bool forks = false;    // it ends the prefill of the prompt: the group's other sequences fork from it
};

class StepPlan {
 public:
  void clear();
  bool empty() const { return decodes_.empty() && prefills_.empty(); }

  // Decodes go before prefills, whatever the order of the calls.
  void add_decode(const PlannedRow& row) { decodes_.push_back(row); }
  void add_prefill(const PlannedRow& row) { prefills_.push_back(row); }

  // Copy-on-write of the rows added; KvCacheManager::append adds to it, and its caller fills in the slots.
  std::vector<BlockCopy>& copies() { return copies_; }

  // Writes all lists of `input` but `ends`, and brings the sequences' view of their rows up to date.
  void write(const KvCacheManager& memory, StepInput& input);

 private:
  static void write_row(const PlannedRow& row, const KvCacheManager& memory, StepInput& input);
  static void write_forks(const PlannedRow& row, StepInput& input);

  std::vector<PlannedRow> decodes_, prefills_;
  std::vector<BlockCopy> copies_;
};

}  // namespace quire
