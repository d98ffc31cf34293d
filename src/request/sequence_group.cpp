#include "request/sequence_group.h"

#include <algorithm>

#include "base/check.h"
#include "base/rng.h"

namespace quire {
namespace {

bool contains(const std::vector<TokenId>& tokens, TokenId token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

}  // namespace

SequenceGroup::SequenceGroup(const Origin& origin, std::vector<TokenId> prompt,
                             std::shared_ptr<const SamplingParams> params)
    : id_(origin.id), prompt_(std::move(prompt)), params_(std::move(params)), num_unfinished_(params_->n) {
  CHECK(!prompt_.empty() && params_->n >= 1);
  times.arrival_ns = origin.arrival_ns;
  sequences_.resize(static_cast<size_t>(params_->n));
  for (int32_t i = 0; i < params_->n; ++i) {
    Sequence& sequence = sequences_[static_cast<size_t>(i)];
    sequence.id = origin.first_sequence + i;
    sequence.index = i;
    sequence.seed = random_bits(origin.seed, static_cast<uint64_t>(i));
  }
}

const Sequence& SequenceGroup::leader() const {
  const auto found =
      std::find_if(sequences_.begin(), sequences_.end(), [](const auto& s) { return !s.finished(); });
  CHECK(found != sequences_.end(), "request {} has ended", id_);
  return *found;
}

FinishReason SequenceGroup::append_token(Sequence& sequence, TokenId token, int32_t max_model_len) {
  CHECK(!sequence.finished());
  // The sampler masks stop tokens before min_tokens; one that comes all the same does not stop.
  const bool may_stop = static_cast<int32_t>(sequence.output.size()) >= params_->min_tokens;
  sequence.output.push_back(token);
  if (may_stop && !params_->ignore_eos && contains(params_->eos_token_ids, token))
    return FinishReason::kStop;
  if (may_stop && contains(params_->stop_token_ids, token)) return FinishReason::kStop;
  const bool full = num_tokens(sequence) >= max_model_len;
  const bool long_enough = static_cast<int32_t>(sequence.output.size()) >= params_->max_tokens;
  return full || long_enough ? FinishReason::kLength : FinishReason::kNone;
}

void SequenceGroup::finish(Sequence& sequence, FinishReason reason) {
  CHECK(!sequence.finished() && reason != FinishReason::kNone);
  sequence.finish_reason = reason;
  if (--num_unfinished_ > 0) return;
  finish_reason_ = reason;
  set_state(GroupState::kFinished);
}

void SequenceGroup::set_state(GroupState state) {
  const bool legal = state_ == GroupState::kRunning   ? state != GroupState::kRunning
                     : state_ == GroupState::kWaiting ? state != GroupState::kWaiting
                                                      : false;
  CHECK(legal, "request {} cannot go from state {} to {}", id_, static_cast<int>(state_),
        static_cast<int>(state));
  state_ = state;
}

}  // namespace quire
