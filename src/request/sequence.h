// One continuation of a request: what it has generated, and where the worker and the cache stand with it.
// The prompt is its group's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "request/finish_reason.h"

namespace quire {

inline constexpr SlotId kNoSlot = -1;
inline constexpr int64_t kNotYet = -1;  // a time that has not come

struct alignas(64) Sequence {
  // What every step reads comes first, in one cache line.
  // The worker's row. A running sequence has a slot; the row in it starts with the first work, or with the
  // fork.
  SlotId slot = kNoSlot;
  int32_t num_computed = 0;     // leading tokens that are in the cache, the steps under way included
  int32_t num_blocks_sent = 0;  // entries of its block table that the worker knows
  int16_t num_in_flight = 0;    // tokens that the steps under way sample for it
  bool has_row = false;
  FinishReason finish_reason = FinishReason::kNone;
  std::vector<TokenId> output;
  int64_t last_step = 0;  // the last step that had work for it
  int64_t last_token_ns = kNotYet;
  SequenceId id = 0;

  uint64_t seed = 0;  // of its draws
  int32_t index = 0;  // which of its request's n continuations

  bool finished() const { return finish_reason != FinishReason::kNone; }
};

}  // namespace quire
