// Logits of the tokens that a grammar lets come next. A mask has a bit a token, as SequenceView::allowed;
// an empty one allows all. Most masks are far from most logits' chunks: what is forbidden as a whole is not
// touched, and what is allowed as a whole is not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quire {

inline constexpr size_t kLogitChunk = 512;  // logits that are looked at together

constexpr size_t count_logit_chunks(size_t vocab_size) {
  return (vocab_size + kLogitChunk - 1) / kLogitChunk;
}

// `logits` where tokens are allowed, -inf elsewhere. out: as long as `logits`, or `logits` itself.
void mask_logits(std::span<const float> logits, std::span<const uint32_t> allowed, std::span<float> out);

// Of chunk `chunk`, the kLogitChunk logits (the last may have fewer) as mask_logits has them: none if none
// of them is allowed, those of `logits` if all are, else what it writes to `scratch` (kLogitChunk floats).
std::span<const float> masked_chunk(std::span<const float> logits, std::span<const uint32_t> allowed,
                                    size_t chunk, std::span<float> scratch);

}  // namespace quire
