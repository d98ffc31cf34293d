// A request on the engine's side: its prompt, its parameters, and its sequences, which run, wait and are
// preempted together. Those of a beam search are the places that its live beams take. Owned by the
// scheduler; engine thread only.
//
//   kWaiting -> kRunning -> kFinished
//   kRunning -> kWaiting: preempted, to be computed again        any -> kFinished: aborted
//   kRunning -> kSwapped -> kReturning -> kRunning: preempted, its keys and values kept in the swap space
//   kSwapped, kReturning -> kWaiting: what the swap space kept is lost
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"
#include "request/sequence.h"

namespace quire {

enum class GroupState : uint8_t { kWaiting, kRunning, kSwapped, kReturning, kFinished };

// Times of the engine's clock.
struct GroupTimes {
  int64_t arrival_ns = kNotYet;
  int64_t first_scheduled_ns = kNotYet;
  int64_t first_token_ns = kNotYet;
  int64_t last_token_ns = kNotYet;  // of the continuations that have ended
};

class alignas(64) SequenceGroup {
 public:
  // The sequences get the ids from `first_sequence` on, and streams of draws derived from `seed`.
  struct Origin {
    RequestId id = 0;
    SequenceId first_sequence = 0;
    uint64_t seed = 0;
    int64_t arrival_ns = 0;
    TenantId tenant = 0;
    int32_t priority = 0;
    std::string cache_salt = {};  // only requests with the same one share cached prefixes
    bool pins = false;            // what it computes of its prompt is to stay in the prefix cache
  };
  SequenceGroup(const Origin& origin, std::vector<TokenId> prompt,
                std::shared_ptr<const SamplingParams> params);

  RequestId id() const { return id_; }
  TenantId tenant() const { return tenant_; }
  int32_t priority() const { return priority_; }  // a lower one goes first
  const std::vector<TokenId>& prompt() const { return prompt_; }
  const std::string& cache_salt() const { return cache_salt_; }
  bool pins() const { return pins_; }
  int32_t num_prompt_tokens() const { return num_prompt_tokens_; }
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
  // The sequences that come out of the prompt's prefill, finished ones among them: all, or the live beams,
  // which before the fork stand first.
  std::span<Sequence> entrants() {
    return sequences().first(num_beams > 0 ? num_beams : sequences_.size());
  }
  int32_t num_entrants() const { return num_beams > 0 ? num_beams : num_unfinished_; }

  // Appends a sampled token and judges it: ends the sequence (kStop, kLength) or not (kNone).
  FinishReason append_token(Sequence& sequence, TokenId token, int32_t max_model_len) {
    sequence.output.push_back(token);
    const auto num_outputs = static_cast<int32_t>(sequence.output.size());
    // The sampler masks stop tokens before min_tokens; one that comes all the same does not stop.
    if (stops(token, num_outputs)) return FinishReason::kStop;
    const bool full = num_prompt_tokens_ + num_outputs >= max_model_len;
    return full || num_outputs >= max_tokens_ ? FinishReason::kLength : FinishReason::kNone;
  }

  // Whether token number `num_outputs` of an output ends it.
  bool stops(TokenId token, int32_t num_outputs) const {
    return may_stop_at(token) && (num_outputs > min_tokens_ ? stops_at(token) : completes_grammar(token));
  }

  // Whether its length lets it go on after the tokens that the steps under way sample for it.
  bool wants_more(const Sequence& sequence, int32_t max_model_len) const {
    const auto num_outputs = static_cast<int32_t>(sequence.output.size()) + sequence.num_in_flight;
    return num_outputs < max_tokens_ && num_prompt_tokens_ + num_outputs < max_model_len;
  }

  // Ends the sequence; the last one ends the group, with its reason.
  void finish(Sequence& sequence, FinishReason reason);
  FinishReason finish_reason() const { return finish_reason_; }  // kNone while one goes on

  GroupState state() const { return state_; }
  void set_state(GroupState state);  // CHECKs that the picture above allows it

  // What every step reads stands together, in one cache line.
  bool forked = false;    // the others have forked from the leader: each has a row of its own
  uint8_t num_beams = 0;  // live beams of a beam search, while it runs or waits; 0: it is none
  bool returned = false;  // from the swap space, forked: rows of its sequences may have to start
  int32_t num_preemptions = 0;
  int64_t num_outputs_preempted = -1;  // tokens of all sequences when it was last preempted; -1: never
  // The first position of the prompt whose log-probability was not yet delivered.
  int32_t next_prompt_logprob = 1;

 private:
  // False for most tokens that do not stop, at the price of a bit test.
  bool may_stop_at(TokenId token) const { return (stop_mask_ >> (token & 63) & 1) != 0; }
  bool stops_at(TokenId token) const;
  // An end that a grammar allows before min_tokens is one where it allows nothing else.
  bool completes_grammar(TokenId token) const;

  std::vector<Sequence> sequences_;
  uint64_t stop_mask_ = 0;  // bit t % 64 for each token t that stops
  const int32_t num_prompt_tokens_, min_tokens_, max_tokens_;
  int32_t num_unfinished_;
  FinishReason finish_reason_ = FinishReason::kNone;
  GroupState state_ = GroupState::kWaiting;

  const RequestId id_;
  const TenantId tenant_;
  const int32_t priority_;
  const std::vector<TokenId> prompt_;
  const std::shared_ptr<const SamplingParams> params_;
  const std::string cache_salt_;
  const bool pins_;

 public:
  GroupTimes times;
  int64_t settled_service = 0;    // what FairShares has counted of it
  int32_t prefix_scope = -1;      // what the prefix cache calls the salt; -1: it is not asked
  int32_t num_cached_tokens = 0;  // of the prompt, that the prefix cache had when it first ran
  bool pinned = false;            // its prompt is
};

}  // namespace quire
