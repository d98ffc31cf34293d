// The rows chosen for one step, and the StepInput that they become. Decodes are written as they are added;
// prefills stand behind them, so they wait until all are known. Reused from step to step, so that steady
// decoding allocates nothing.
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

// Whom a step samples for. The slot may have another sequence by the time the sample comes.
struct PlannedSample {
  SlotId slot = 0;
  SequenceId sequence = 0;
};

// A row that has filled blocks since they were last cached, and how many of its tokens are computed once the
// step is done.
struct PlannedBlocks {
  SlotId slot = 0;
  SequenceId sequence = 0;
  int32_t num_tokens = 0;
};

class StepPlan {
 public:
  explicit StepPlan(int32_t max_rows) {
    samples_.reserve(static_cast<size_t>(max_rows));
    filled_.reserve(static_cast<size_t>(max_rows));
  }

  // A plan without rows; `input` is emptied, and must stay until write() has filled it.
  void begin(StepInput& input);
  bool empty() const { return input_->work.empty() && prefills_.empty(); }
  int32_t num_decodes() const { return static_cast<int32_t>(input_->work.size()); }

  // The sequence's last token, which its table and num_computed include already. It has a row.
  void add_decode(Sequence& sequence, const BlockTable& table) {
    const auto num_blocks = static_cast<int32_t>(table.blocks.size());
    if (num_blocks != sequence.num_blocks_sent) {  // the block before the new one is full
      send_blocks(sequence, table);
      add_filled(sequence);
    }
    input_->work.push_back({.slot = sequence.slot,
                            .first_position = sequence.num_computed - 1,
                            .num_tokens = 1,
                            .new_blocks = num_blocks - sequence.num_blocks_sent});
    sequence.num_blocks_sent = num_blocks;
    add_sample(sequence);
  }
  void add_prefill(const PlannedRow& row) { prefills_.push_back(row); }

  // Copy-on-write of the rows added; KvCacheManager::append adds to it, and its caller fills in the slots.
  std::vector<BlockCopy>& copies() { return input_->copies; }
  // Of the groups preempted and of those that return.
  std::vector<SwapOut>& swap_outs() { return input_->swap_outs; }
  std::vector<SwapIn>& swap_ins() { return input_->swap_ins; }

  // Completes all lists of the input but `ends`, and the sequences' view of their rows.
  void write(const KvCacheManager& memory);

  // Whom the step samples for, in the order of StepInput::samples, and whose prompts it scores, in the
  // order of its work. The plan goes on with the capacity of what they held.
  void take_samples(std::vector<PlannedSample>& samples, std::vector<PlannedSample>& scored) {
    samples.swap(samples_);
    scored.swap(scored_);
  }
  void take_filled(std::vector<PlannedBlocks>& filled) { filled.swap(filled_); }

 private:
  void send_blocks(const Sequence& sequence, const BlockTable& table);
  void add_sample(Sequence& sequence) {
    input_->samples.push_back(
        {.row = static_cast<int32_t>(input_->work.size()) - 1, .slot = sequence.slot});
    samples_.push_back({.slot = sequence.slot, .sequence = sequence.id});
    ++sequence.num_in_flight;
  }
  void add_filled(const Sequence& sequence) {
    filled_.push_back(
        {.slot = sequence.slot, .sequence = sequence.id, .num_tokens = sequence.num_computed});
  }
  void write_row(const PlannedRow& row, const KvCacheManager& memory);
  void write_forks(const PlannedRow& row);

  StepInput* input_ = nullptr;
  std::vector<PlannedRow> prefills_;
  std::vector<PlannedSample> samples_, scored_;
  std::vector<PlannedBlocks> filled_;
};

}  // namespace quire
