// A model for tests of the server: it answers a prompt by repeating it from the start. Token i of the
// output is token i % length of the prompt, so the prompt alone decides what text, end-of-sequence and half
// characters come out. The best beam is the same.
//
// A row with a grammar goes on as long as that lets it.
//
// Log-probabilities: -0.5 for the token that was chosen, then -1.5, -2.5, ... for the ids after it. Those
// of the prompt are minus their position. An embedding is the number of tokens, the first token and the
// last.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "grammar/compiled_grammar.h"
#include "step/executor.h"

namespace quire {

// Holds steps back until a test lets them go. Any thread.
class StepGate {
 public:
  void close() { set(0); }
  void open() { set(kOpen); }
  void let_pass(int64_t steps) {
    std::lock_guard lock(mutex_);
    allowed_ += steps;
    changed_.notify_all();
  }
  void fail_next_step() {
    std::lock_guard lock(mutex_);
    fails_ = true;
  }
  // The executor's side: waits; true if the step is to fail.
  bool enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return allowed_ > 0; });
    --allowed_;
    return std::exchange(fails_, false);
  }

 private:
  static constexpr int64_t kOpen = int64_t{1} << 60;
  void set(int64_t allowed) {
    std::lock_guard lock(mutex_);
    allowed_ = allowed;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t allowed_ = kOpen;
  bool fails_ = false;
};

class EchoExecutor final : public Executor {
 public:
  EchoExecutor(std::shared_ptr<StepGate> gate, int32_t num_slots, int32_t vocab_size)
      : gate_(std::move(gate)), vocab_size_(vocab_size), rows_(static_cast<size_t>(num_slots)) {}

  void submit(const StepInput& input) override {
    output_.clear();
    output_.step_id = input.step_id;
    fork(input.branches);
    for (const auto& [slot, token] : input.tokens) rows_[static_cast<size_t>(slot)].tokens.push_back(token);
    for (const auto& start : input.starts) {
      rows_[static_cast<size_t>(start.slot)] = {start.tokens, start.num_prompt_tokens, start.sampling};
    }
    for (const auto& work : input.work) score_prompt(work);
    fork(input.forks);
    for (const auto& sample : input.samples) choose(sample.slot);
  }

  Expected<const StepOutput*> collect() override {
    if (gate_->enter()) return fail(ErrorCode::kInternal, "the test wants this step to fail");
    return &output_;
  }

 private:
  struct Row {
    std::vector<TokenId> tokens;
    int32_t num_prompt_tokens = 0;
    std::shared_ptr<const SamplingParams> sampling;
  };

  void fork(const std::vector<RowFork>& forks) {
    for (const auto& fork : forks) {
      Row child = rows_[static_cast<size_t>(fork.parent)];
      child.tokens.resize(static_cast<size_t>(fork.num_tokens));
      child.tokens.insert(child.tokens.end(), fork.tokens.begin(), fork.tokens.end());
      rows_[static_cast<size_t>(fork.child)] = std::move(child);
    }
  }

  int32_t add_top(TokenId first, float logprob, int32_t count, std::vector<TokenLogprob>& top) const {
    for (int32_t i = 0; i < count; ++i) {
      top.push_back({(first + i) % vocab_size_, logprob - static_cast<float>(i)});
    }
    return count;
  }

  void score_prompt(const RowWork& work) {
    if (work.prompt_logprobs_from < 0) return;
    const Row& row = rows_[static_cast<size_t>(work.slot)];
    const int32_t end = std::min(work.first_position + work.num_tokens, row.num_prompt_tokens - 1);
    for (int32_t position = work.prompt_logprobs_from + 1; position <= end; ++position) {
      const TokenId token = row.tokens[static_cast<size_t>(position)];
      const auto logprob = static_cast<float>(-position);
      const int32_t count = add_top(token, logprob, *row.sampling->prompt_logprobs, output_.prompt_top);
      output_.prompt_logprobs.push_back({work.slot, position, token, logprob, count});
    }
  }

  static bool allowed(const Row& row, TokenId next) {
    GrammarMatcher matcher(row.sampling->grammar);
    for (auto i = static_cast<size_t>(row.num_prompt_tokens); i < row.tokens.size(); ++i) {
      if (!matcher.accept(row.tokens[i])) return false;
    }
    return matcher.accept(next);
  }

  void choose(SlotId slot) {
    Row& row = rows_[static_cast<size_t>(slot)];
    if (row.sampling->pooling != Pooling::kNone) {
      output_.samples.push_back(
          {.slot = slot, .token = -1, .embedding = static_cast<int32_t>(output_.embeddings.size())});
      output_.embeddings.push_back({static_cast<float>(row.tokens.size()),
                                    static_cast<float>(row.tokens.front()),
                                    static_cast<float>(row.tokens.back())});
      return;
    }
    const size_t generated = row.tokens.size() - static_cast<size_t>(row.num_prompt_tokens);
    const TokenId token = row.tokens[generated % static_cast<size_t>(row.num_prompt_tokens)];
    if (row.sampling->grammar && !allowed(row, token)) {
      output_.samples.push_back({.slot = slot, .token = -1});
      return;
    }
    if (row.sampling->use_beam_search) {
      const int32_t count = add_top(token, -0.5F, 2 * row.sampling->num_sequences(), output_.top);
      output_.samples.push_back({slot, -1, 0, count});
      return;
    }
    row.tokens.push_back(token);
    const int32_t count = add_top(token, -0.5F, row.sampling->logprobs.value_or(0), output_.top);
    output_.samples.push_back({slot, token, -0.5F, count});
  }

  const std::shared_ptr<StepGate> gate_;
  const int32_t vocab_size_;
  std::vector<Row> rows_;  // by slot
  StepOutput output_;
};

}  // namespace quire
