// Drives a scheduler step by step, without an engine.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "scheduler/scheduler.h"

namespace quire {

struct Request {
  int32_t prompt = 4;
  int32_t max_tokens = 1000;
  int32_t n = 1;
  bool prompt_logprobs = false;
  bool use_beam_search = false;  // with n beams
  TenantId tenant = 0;
  int32_t priority = 0;
  std::string salt = {};
};

// Drives the scheduler by hand: every sample is answered with the token 5, and a beam's with candidates_.
class SchedulerTest : public testing::Test {
 protected:
  // Whoever fits at the moment is admitted, so that blocks run out.
  void build(SchedulerOptions options, int32_t num_blocks, int32_t block_size, int32_t num_swap_slots = 0) {
    options.expected_output_tokens = 0;
    build_cautious(options, num_blocks, block_size, num_swap_slots);
  }
  void build_cautious(const SchedulerOptions& options, int32_t num_blocks, int32_t block_size,
                      int32_t num_swap_slots = 0) {
    memory_ = std::make_unique<KvCacheManager>(num_blocks, block_size, nullptr, num_swap_slots);
    scheduler_ = std::make_unique<Scheduler>(options, *memory_);
  }

  RequestId add(const Request& request) {
    SamplingParams params;
    params.n = request.n;
    params.max_tokens = request.max_tokens;
    params.use_beam_search = request.use_beam_search;
    if (request.use_beam_search) params.eos_token_ids = {0};
    if (request.prompt_logprobs) params.prompt_logprobs = 0;
    const RequestId id = next_id_++;
    std::vector<TokenId> prompt;
    for (int32_t i = 0; i < request.prompt; ++i) prompt.push_back(100 + i);
    scheduler_->add(std::make_unique<SequenceGroup>(SequenceGroup::Origin{.id = id,
                                                                          .first_sequence = id * 100,
                                                                          .seed = 1,
                                                                          .arrival_ns = now_,
                                                                          .tenant = request.tenant,
                                                                          .priority = request.priority,
                                                                          .cache_salt = request.salt},
                                                    std::move(prompt),
                                                    std::make_shared<const SamplingParams>(params)));
    return id;
  }

  // One step into input_; false if there was nothing to do. It takes `step_ns`.
  bool step(int64_t step_ns = 1) {
    return step([step_ns] { return step_ns; });
  }
  // The same, with a time that may depend on input_.
  template <class StepTime>
  bool step(StepTime step_time) {
    if (!scheduler_->schedule(++now_, input_)) return false;
    answer();
    now_ += step_time();
    scheduler_->update(output_, now_, events_);
    const auto checked = scheduler_->check();
    EXPECT_TRUE(checked) << checked.error().message;
    scheduler_->take_ended(ended_);
    return true;
  }

  void answer() {
    output_.clear();
    for (const RowStart& start : input_.starts) num_prompt_[start.slot] = start.num_prompt_tokens;
    for (const RowWork& work : input_.work) {
      if (work.prompt_logprobs_from < 0) continue;
      const int32_t last = std::min(work.first_position + work.num_tokens, num_prompt_[work.slot] - 1);
      for (int32_t p = work.prompt_logprobs_from + 1; p <= last; ++p) {
        output_.prompt_logprobs.push_back({.slot = work.slot, .position = p});
        scored_.push_back(p);
      }
    }
    for (const RowStart& start : input_.starts) searches_[start.slot] = start.sampling->use_beam_search;
    for (const auto* forks : {&input_.branches, &input_.forks}) {
      for (const RowFork& fork : *forks) searches_[fork.child] = searches_[fork.parent];
    }
    for (const SampleWork& sample : input_.samples) {
      if (!searches_[sample.slot]) {
        output_.samples.push_back({.slot = sample.slot, .token = 5});
        continue;
      }
      const auto num_top = static_cast<int32_t>(candidates_.size());
      output_.samples.push_back({.slot = sample.slot, .token = -1, .num_top = num_top});
      output_.top.insert(output_.top.end(), candidates_.begin(), candidates_.end());
    }
  }

  int32_t num_tokens_in_step() const {
    int32_t total = 0;
    for (const RowWork& work : input_.work) total += work.num_tokens;
    return total;
  }

  SequenceGroup& group(RequestId id) { return *scheduler_->find(id); }
  const Sequence& sequence(RequestId id, size_t index = 0) { return group(id).sequences()[index]; }

  std::unique_ptr<KvCacheManager> memory_;
  std::unique_ptr<Scheduler> scheduler_;
  StepInput input_;
  StepOutput output_;
  StepEvents events_;
  std::vector<std::unique_ptr<SequenceGroup>> ended_;
  std::map<SlotId, int32_t> num_prompt_;
  std::map<SlotId, bool> searches_;
  std::vector<TokenLogprob> candidates_ = {{5, -1.0F}, {6, -2.0F}, {7, -3.0F}, {8, -4.0F}};
  std::vector<int32_t> scored_;  // positions of prompt log-probabilities that were asked for
  RequestId next_id_ = 1;
  int64_t now_ = 0;
};

}  // namespace quire
