// The tensors of one step, made from its work and the rows: token ids, cache slots, rotary angles,
// attention sequences. Buffers are sized once for the largest step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.h"
#include "kernels/kernel_args.h"
#include "runtime/rotary.h"
#include "runtime/row_table.h"
#include "step/step_input.h"

namespace quire {

class StepBatch {
 public:
  StepBatch(const Rotary& rotary, int32_t block_size, int64_t max_tokens, int32_t max_rows);

  void build(std::span<const RowWork> work, const RowTable& rows);

  int64_t num_tokens() const { return static_cast<int64_t>(token_ids_.size()); }
  const TokenId* token_ids() const { return token_ids_.data(); }
  const int64_t* kv_slots() const { return kv_slots_.data(); }
  const float* cos_sin() const { return cos_sin_.data(); }
  std::span<const AttentionSequence> sequences() const {
    return sequences_;
  }  // one for each work, in its order

  static int64_t bytes(const Rotary& rotary, int64_t max_tokens);

 private:
  Rotary rotary_;
  int32_t block_size_;
  std::vector<TokenId> token_ids_;
  std::vector<int64_t> kv_slots_;
  std::vector<float> cos_sin_;
  std::vector<AttentionSequence> sequences_;
};

}  // namespace quire
