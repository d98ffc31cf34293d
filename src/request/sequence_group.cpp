#include "request/sequence_group.h"

#include <algorithm>

#include "base/check.h"
#include "base/rng.h"

namespace quire {
namespace {

bool contains(const std::vector<TokenId>& tokens, TokenId token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

bool is_legal(GroupState from, GroupState to) {
  using enum GroupState;
  if (from == kFinished || from == to) return false;
  switch (to) {
    case kFinished:
    case kWaiting: return true;
    case kRunning: return from == kWaiting || from == kReturning;
    case kSwapped: return from == kRunning;
    case kReturning: return from == kSwapped;
  }
  return false;
}

}  // namespace

SequenceGroup::SequenceGroup(const Origin& origin, std::vector<TokenId> prompt,
                             std::shared_ptr<const SamplingParams> params)
    : num_prompt_tokens_(static_cast<int32_t>(prompt.size())),
      min_tokens_(params->min_tokens),
      max_tokens_(params->max_tokens),
      num_unfinished_(params->num_sequences()),
      id_(origin.id),
      tenant_(origin.tenant),
      priority_(origin.priority),
      prompt_(std::move(prompt)),
      params_(std::move(params)),
      cache_salt_(origin.cache_salt),
      pins_(origin.pins) {
  CHECK(!prompt_.empty() && num_unfinished_ >= 1);
  times.arrival_ns = origin.arrival_ns;
  num_beams = params_->use_beam_search ? 1 : 0;
  sequences_.resize(static_cast<size_t>(num_unfinished_));
  for (int32_t i = 0; i < num_unfinished_; ++i) {
    Sequence& sequence = sequences_[static_cast<size_t>(i)];
    sequence.id = origin.first_sequence + i;
    sequence.index = i;
    sequence.seed = random_bits(origin.seed, static_cast<uint64_t>(i));
  }
  for (const auto& tokens : {params_->eos_token_ids, params_->stop_token_ids}) {
    for (const TokenId token : tokens) stop_mask_ |= uint64_t{1} << (token & 63);
  }
}

const Sequence& SequenceGroup::leader() const {
  const auto found =
      std::find_if(sequences_.begin(), sequences_.end(), [](const auto& s) { return !s.finished(); });
  CHECK(found != sequences_.end(), "request {} has ended", id_);
  return *found;
}

bool SequenceGroup::stops_at(TokenId token) const {
  return (!params_->ignore_eos && contains(params_->eos_token_ids, token)) ||
         contains(params_->stop_token_ids, token);
}

bool SequenceGroup::completes_grammar(TokenId token) const {
  return params_->grammar != nullptr && contains(params_->eos_token_ids, token);
}

void SequenceGroup::finish(Sequence& sequence, FinishReason reason) {
  CHECK(!sequence.finished() && reason != FinishReason::kNone);
  sequence.finish_reason = reason;
  if (--num_unfinished_ > 0) return;
  finish_reason_ = reason;
  set_state(GroupState::kFinished);
}

void SequenceGroup::set_state(GroupState state) {
  CHECK(is_legal(state_, state), "request {} cannot go from state {} to {}", id_, static_cast<int>(state_),
        static_cast<int>(state));
  state_ = state;
}

}  // namespace quire
