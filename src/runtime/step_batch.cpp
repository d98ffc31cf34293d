#include "runtime/step_batch.h"

#include "base/check.h"

namespace quire {

StepBatch::StepBatch(const Rotary& rotary, int32_t block_size, int64_t max_tokens, int32_t max_rows)
    : rotary_(rotary), block_size_(block_size) {
  token_ids_.reserve(static_cast<size_t>(max_tokens));
  kv_slots_.reserve(static_cast<size_t>(max_tokens));
  cos_sin_.resize(static_cast<size_t>(max_tokens * rotary.stride()));
  sequences_.reserve(static_cast<size_t>(max_rows));
}

int64_t StepBatch::bytes(const Rotary& rotary, int64_t max_tokens) {
  const auto per_token = static_cast<int64_t>(sizeof(TokenId) + sizeof(int64_t)) +
                         rotary.stride() * static_cast<int64_t>(sizeof(float));
  return max_tokens * per_token;
}

void StepBatch::build(std::span<const RowWork> work, const RowTable& rows) {
  token_ids_.clear();
  kv_slots_.clear();
  sequences_.clear();
  float* angles = cos_sin_.data();
  for (const RowWork& piece : work) {
    const WorkerRow& row = rows.row(piece.slot);
    const int32_t end = piece.first_position + piece.num_tokens;
    CHECK(piece.num_tokens > 0 && static_cast<size_t>(end) <= row.tokens.size(),
          "slot {}: positions {} to {} of {}", piece.slot, piece.first_position, end, row.tokens.size());
    CHECK(static_cast<size_t>((end + block_size_ - 1) / block_size_) <= row.block_ids.size());
    sequences_.push_back({.first_row = num_tokens(),
                          .num_rows = piece.num_tokens,
                          .context = end,
                          .blocks = row.block_ids.data()});
    for (int32_t position = piece.first_position; position < end; ++position) {
      token_ids_.push_back(row.tokens[static_cast<size_t>(position)]);
      const int64_t block = row.block_ids[static_cast<size_t>(position / block_size_)];
      kv_slots_.push_back(block * block_size_ + position % block_size_);
      CHECK(num_tokens() * rotary_.stride() <= static_cast<int64_t>(cos_sin_.size()));
      rotary_.fill(position, angles);
      angles += rotary_.stride();
    }
  }
}

}  // namespace quire
