// A request on the engine's side: its prompt, its parameters, and its n sequences, which run, wait and are
// preempted together. Owned by the scheduler; engine thread only.
//
//   kWaiting -> kRunning -> kFinished
//   kRunning -> kWaiting: preempted        kWaiting -> kFinished: aborted
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"
#include "request/sequence.h"

namespace quire {

enum class GroupState : uint8_t { kWaiting, kRunning, kFinished };

// Times of the engine's clock.
struct GroupTimes {
  int64_t arrival_ns = kNotYet;
  int64_t first_scheduled_ns = kNotYet;
  int64_t first_token_ns = kNotYet;
  int64_t last_token_ns = kNotYet;
};

class SequenceGroup {
 public:
  // The sequences get the ids from `first_sequence` on, and streams of draws derived from `seed`.
  struct Origin {
    RequestId id = 0;
    SequenceId first_sequence = 0;
    uint64_t seed = 0;
    int64_t arrival_ns = 0;
  };
  SequenceGroup(const Origin& origin, std::vector<TokenId> prompt,
                std::shared_ptr<const SamplingParams> params);

  RequestId id() const { return id_; }
  const std::vector<TokenId>& prompt() const { return prompt_; }
  int32_t num_prompt_tokens() const { return static_cast<int32_t>(prompt_.size()); }
  const std::shared_ptr<const SamplingParams>& params() const { return params_; }

  std::span<Sequence> sequences() { return sequences_; }
  std::span<const Sequence> sequences() const { return sequences_; }
  int32_t num_unfinished() const { return num_unfinished_; }

  // Prompt and output.
  int32_t num_tokens(const Sequence& sequence) const {
    return num_prompt_tokens() + static_cast<int32_t>(sequence.output.size());
  }

  // While the prompt is prefilled, one sequence computes it for all: the first that has not finished. Only
  // while there is one.
  const Sequence& leader() const;
  bool is_leader(const Sequence& sequence) const { return &sequence == &leader(); }

  // Appends a sampled token and judges it: ends the sequence (kStop, kLength) or not (kNone).
  FinishReason append_token(Sequence& sequence, TokenId token, int32_t max_model_len);

  // Ends the sequence; the last one ends the group, with its reason.
  void finish(Sequence& sequence, FinishReason reason);
  FinishReason finish_reason() const { return finish_reason_; }  // kNone while one goes on

  GroupState state() const { return state_; }
  void set_state(GroupState state);  // CHECKs that the picture above allows it

  GroupTimes times;
  bool forked = false;    // the others have forked from the leader: each has a row of its own
  int64_t last_step = 0;  // the last step that had work for one of its sequences
  int32_t num_preemptions = 0;
  // The first position of the prompt whose log-probability was not yet delivered.
  int32_t next_prompt_logprob = 1;

 private:
  const RequestId id_;
  const std::vector<TokenId> prompt_;
  const std::shared_ptr<const SamplingParams> params_;
  std::vector<Sequence> sequences_;
  int32_t num_unfinished_;
  FinishReason finish_reason_ = FinishReason::kNone;
  GroupState state_ = GroupState::kWaiting;
};

}  // namespace quire
