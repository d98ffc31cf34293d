// The tokens of a byte-level vocabulary as bytes, and the way back from a word's bytes to its token.
// Immutable after creation.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/tokenizer_spec.h"

namespace quire {

inline constexpr TokenId kNoToken = -1;

// Appends the bytes that `spelling` stands for in GPT-2's alphabet, in which every byte is one printable
// character (Radford et al. 2019). False, and `out` as it was, if a character is not of the alphabet.
bool append_alphabet_bytes(std::string_view spelling, std::string& out);

class Vocabulary {
 public:
  // Errors: kCorrupt if two ordinary tokens are the same bytes, or if the lists are too long or of
  // different lengths. An empty `types` means that every token is normal.
  static Expected<Vocabulary> create(std::span<const std::string> spellings,
                                     std::span<const TokenType> types);

  int32_t size() const { return static_cast<int32_t>(offsets_.size()) - 1; }

  // 0 <= id < size().
  std::string_view bytes(TokenId id) const {
    return std::string_view(blob_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }

  // The ordinary token (one that text may become: not a control, unknown or user-defined one) of exactly
  // these bytes, or kNoToken.
  TokenId find(std::string_view bytes) const;

  // The same for a single byte. Vocabularies exist that lack some bytes.
  TokenId byte_token(uint8_t byte) const { return byte_tokens_[byte]; }

 private:
  struct Slot {
    uint32_t tag = 0;  // upper half of the hash
    TokenId id = kNoToken;
  };

  bool insert(TokenId id);

  std::string blob_;               // all tokens' bytes, by id
  std::vector<uint32_t> offsets_;  // into blob_, size() + 1
  std::vector<Slot> slots_;        // open addressing; a power of two, at most half full
  size_t longest_ = 0;             // bytes of the longest token in slots_
  std::array<TokenId, 256> byte_tokens_;
};

}  // namespace quire
