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

struct Sequence {
  SequenceId id = 0;
  int32_t index = 0;  // which of its request's n continuations
  uint64_t seed = 0;  // of its draws
  std::vector<TokenId> output;
  FinishReason finish_reason = FinishReason::kNone;
  int64_t last_token_ns = kNotYet;

  // The worker's row. A running sequence has a slot; the row in it starts with the first work, or with the
  // fork.
  SlotId slot = kNoSlot;
  bool has_row = false;
  int32_t num_computed = 0;     // leading tokens that are in the cache, the step under way included
  int32_t num_blocks_sent = 0;  // entries of its block table that the worker knows
  int64_t last_step = 0;        // the last step that had work for it

  bool finished() const { return finish_reason != FinishReason::kNone; }
};

}  // namespace quire
