// Finds the spellings of special tokens in a text: a trie, so that a spelling which starts another is no
// problem (the longest wins) and the work at one place is bounded by the longest spelling, however many
// there are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace quire {

class SpecialTokens {
 public:
  // Longer ones cannot be added: it bounds the work at each place of a text.
  static constexpr size_t kMaxSpellingBytes = 1024;

  SpecialTokens() { first_.fill(kNone); }

  // False if the same spelling is there already. 0 < spelling.size() <= kMaxSpellingBytes.
  bool add(std::string_view spelling, TokenId id);

  struct Match {
    size_t begin = 0;
    size_t length = 0;
    TokenId id = 0;
  };

  // The leftmost spelling that lies in `text` at `from` or later, and the longest that starts there.
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  static constexpr int32_t kNone = -1;
  struct Node {
    uint8_t byte = 0;
    TokenId id = kNone;  // the token whose spelling ends here
    int32_t first_child = kNone;
    int32_t next_sibling = kNone;
  };

  int32_t child(int32_t node, uint8_t byte) const;
  Match longest_at(std::string_view text, size_t begin) const;

  std::array<int32_t, 256> first_;  // by a spelling's first byte
  std::vector<Node> nodes_;
};

}  // namespace quire
