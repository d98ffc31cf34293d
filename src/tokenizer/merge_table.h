// Byte-pair encoding (Sennrich et al. 2016): the merges of a vocabulary, and their application to one word.
// Immutable after creation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "tokenizer/vocabulary.h"

namespace quire {

// Longer words are merged in pieces of so many bytes, which bounds the memory that one word can take (some
// 50 bytes for each byte of it). No context holds such a word.
inline constexpr size_t kMaxWordBytes = size_t{1} << 20;

class MergeTable {
 public:
  // `merges` are "left right" in GPT-2's alphabet, by rank. Errors: kCorrupt for one that is malformed,
  // repeated, or not made of ordinary tokens.
  static Expected<MergeTable> create(std::span<const std::string> merges, const Vocabulary& vocabulary);

  // Appends the tokens of `word`: from its bytes, always the pair of lowest rank is merged, of several the
  // leftmost. A byte without a token is left out. O(n log n) in the word's bytes.
  void encode_word(std::string_view word, const Vocabulary& vocabulary, std::vector<TokenId>& out) const;

 private:
  static constexpr uint32_t kNoRank = ~uint32_t{0};
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  // What becomes of two neighbours.
  struct Merge {
    uint32_t rank = kNoRank;
    TokenId result = kNoToken;
  };
  struct Slot {
    uint64_t pair = kEmpty;  // left in the upper half
    Merge merge;
  };

  static uint64_t pair_of(TokenId left, TokenId right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  }
  size_t first_slot(uint64_t pair) const { return pair * 0x9e3779b97f4a7c15ULL >> shift_; }
  bool insert(uint64_t pair, Merge merge);
  Merge find(TokenId left, TokenId right) const;

  void merge_short(std::span<TokenId> symbols, std::vector<TokenId>& out) const;
  void merge_long(std::span<const TokenId> symbols, std::vector<TokenId>& out) const;

  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
  int shift_ = 63;           // 64 - log2(slots_.size())
};

}  // namespace quire
