#include "sampling/token_mask.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace quire {
namespace {

constexpr size_t kWord = 32;  // tokens of a word of a mask
static_assert(kLogitChunk % kWord == 0);

constexpr std::array<uint32_t, kWord> kBits = [] {
  std::array<uint32_t, kWord> bits{};
  for (uint32_t i = 0; i < kWord; ++i) bits[i] = uint32_t{1} << i;
  return bits;
}();

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

// Without a branch, since which tokens are allowed is as good as random, and by way of a copy, so that the
// compiler need not ask whether `out` is `logits`.
void mask_word(const float* logits, uint32_t bits, float* out) {
  constexpr auto kForbiddenBits = std::bit_cast<uint32_t>(kForbidden);
  std::array<uint32_t, kWord> values;
  std::memcpy(values.data(), logits, sizeof values);
  for (uint32_t i = 0; i < kWord; ++i) {
    const uint32_t keep = (bits & kBits[i]) != 0 ? ~uint32_t{0} : 0;
    values[i] = (values[i] & keep) | (kForbiddenBits & ~keep);
  }
  std::memcpy(out, values.data(), sizeof values);
}

uint32_t word_of(std::span<const uint32_t> allowed, size_t word) {
  return word < allowed.size() ? allowed[word] : 0;
}

}  // namespace

void mask_logits(std::span<const float> logits, std::span<const uint32_t> allowed, std::span<float> out) {
  if (allowed.empty()) {
    if (out.data() != logits.data()) std::ranges::copy(logits, out.begin());
    return;
  }
  const size_t num_whole = logits.size() / kWord;
  for (size_t word = 0; word < num_whole; ++word) {
    mask_word(&logits[word * kWord], word_of(allowed, word), &out[word * kWord]);
  }
  const uint32_t bits = word_of(allowed, num_whole);
  for (size_t i = num_whole * kWord; i < logits.size(); ++i) {
    out[i] = (bits >> (i % kWord) & 1) != 0 ? logits[i] : kForbidden;
  }
}

std::span<const float> masked_chunk(std::span<const float> logits, std::span<const uint32_t> allowed,
                                    size_t chunk, std::span<float> scratch) {
  const size_t first = chunk * kLogitChunk;
  const std::span<const float> all = logits.subspan(first, std::min(kLogitChunk, logits.size() - first));
  if (allowed.empty()) return all;
  const size_t first_word = std::min(first / kWord, allowed.size());
  const std::span<const uint32_t> words =
      allowed.subspan(first_word, std::min((all.size() + kWord - 1) / kWord, allowed.size() - first_word));
  uint32_t any = 0, every = ~uint32_t{0};
  for (const uint32_t bits : words) {
    any |= bits;
    every &= bits;
  }
  if (any == 0) return {};
  if (every == ~uint32_t{0} && words.size() * kWord >= all.size()) return all;
  mask_logits(all, words, scratch);
  return scratch.first(all.size());
}

}  // namespace quire
