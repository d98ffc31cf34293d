// An executor without a model. It keeps rows exactly as step_input.h asks, and a KV store in which every
// slot remembers the whole history of tokens that its key and value would depend on. Reading it back shows
// any wrong sharing, missing copy or block freed too soon, as a slot that holds another history. The next
// token is a hash of the history, so a request's tokens depend on nothing but its prompt, parameters and
// seed; so are the log-probabilities of a beam's candidates.
//
// A step is computed when it is collected, so that an input that changes before is noticed.
//
// Every rule of StepInput is checked; the first one broken is kept as violation(), and nothing is computed
// after it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "simulate/fake_swap.h"
#include "step/executor.h"

namespace quire {

struct FakeExecutorOptions {
  int32_t num_slots = 64;
  int32_t num_blocks = 0;
  int32_t block_size = 16;
  int32_t max_num_batched_tokens = 512;
  int32_t vocab_size = 32;
  // The time a step takes, if there is a clock to advance.
  ManualClock* clock = nullptr;
  int64_t ns_per_step = 1'000'000;
  int64_t ns_per_token = 50'000;
  FakeSwapOptions swap = {};
  // Sees every step before it runs.
  std::function<void(const StepInput&)> observe = {};
};

class FakeExecutor final : public Executor {
 public:
  explicit FakeExecutor(const FakeExecutorOptions& options);

  int max_submitted() const override { return 2; }
  void submit(const StepInput& input) override;
  Expected<const StepOutput*> collect() override;

  // The next step to be submitted fails, and all rows are lost.
  void fail_next_step() { fails_next_ = true; }

  const std::string& violation() const { return violation_; }  // empty: none
  int64_t num_ahead() const { return num_ahead_; }  // steps submitted while another was under way
  int64_t num_tokens_computed() const { return num_tokens_computed_; }

 private:
  struct Row {
    std::vector<TokenId> tokens;
    std::vector<uint64_t> histories;  // histories[i]: a hash of tokens[0..i]
    std::vector<BlockId> blocks;
    int32_t num_prompt_tokens = 0;
    int32_t num_computed = 0;
    uint64_t seed = 0;
    std::shared_ptr<const SamplingParams> sampling;  // null: the slot is free
    bool started = false;                            // in this step, and so below
    bool sampled = false;
  };

  // Each returns false after a violation.
  bool apply(const StepInput& input);
  bool end_rows(const StepInput& input);
  bool swap_out(const StepInput& input);
  bool swap_in(const StepInput& input);
  bool edit_tables(const StepInput& input);
  bool copy_blocks(const StepInput& input);
  bool start_rows(const StepInput& input);
  bool extend_tables(const StepInput& input);
  bool extend_table(const RowWork& work, const BlockId* ids);
  bool is_held(BlockId block) const;
  bool write_cache(const RowWork& work);
  bool read_cache(const RowWork& work);
  bool fork_rows(std::span<const RowFork> forks);
  bool grow_rows(const StepInput& input);
  bool sample_rows(const StepInput& input);
  void score_prompt(const RowWork& work);
  void sample(SlotId slot, Row& row);
  void sample_candidates(SlotId slot, Row& row);

  static void append(Row& row, TokenId token);
  bool is_taken(SlotId slot) const;
  bool is_free(SlotId slot) const;
  bool has_block(SlotId slot, int32_t index, BlockId block) const;
  bool is_block(BlockId block) const { return block >= 0 && block < options_.num_blocks; }
  uint64_t& cell(const Row& row, int32_t position);
  uint64_t* cells_of(BlockId block) {
    return cells_.data() + static_cast<size_t>(block) * static_cast<size_t>(options_.block_size);
  }
  bool violate(std::string what);

  const FakeExecutorOptions options_;
  std::vector<Row> rows_;  // by slot
  std::vector<uint64_t>
      cells_;  // [num_blocks, block_size]: the history whose key and value lie there; 0: none
  FakeSwap swap_;
  StepOutput output_;
  std::string violation_;
  int64_t num_tokens_computed_ = 0;
  struct Submitted {
    const StepInput* input = nullptr;
    bool fails = false;
  };
  std::deque<Submitted> submitted_;
  int64_t num_ahead_ = 0;
  bool fails_next_ = false;
};

}  // namespace quire
