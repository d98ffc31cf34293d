#include "tokenizer/special_tokens.h"

#include "base/check.h"

namespace quire {

int32_t SpecialTokens::child(int32_t node, uint8_t byte) const {
  int32_t next = nodes_[node].first_child;
  while (next != kNone && nodes_[next].byte != byte) next = nodes_[next].next_sibling;
  return next;
}

bool SpecialTokens::add(std::string_view spelling, TokenId id) {
  CHECK(!spelling.empty() && spelling.size() <= kMaxSpellingBytes);
  const uint8_t lead = static_cast<uint8_t>(spelling[0]);
  if (first_[lead] == kNone) {
    first_[lead] = static_cast<int32_t>(nodes_.size());
    nodes_.push_back({.byte = lead});
  }
  int32_t node = first_[lead];
  for (const char c : spelling.substr(1)) {
    const uint8_t byte = static_cast<uint8_t>(c);
    int32_t next = child(node, byte);
    if (next == kNone) {
      next = static_cast<int32_t>(nodes_.size());
      nodes_.push_back({.byte = byte, .next_sibling = nodes_[node].first_child});
      nodes_[node].first_child = next;
    }
    node = next;
  }
  if (nodes_[node].id != kNone) return false;
  nodes_[node].id = id;
  return true;
}

SpecialTokens::Match SpecialTokens::longest_at(std::string_view text, size_t begin) const {
  Match longest;
  int32_t node = first_[static_cast<uint8_t>(text[begin])];
  for (size_t end = begin + 1; node != kNone; ++end) {
    if (nodes_[node].id != kNone) longest = {begin, end - begin, nodes_[node].id};
    if (end == text.size()) break;
    node = child(node, static_cast<uint8_t>(text[end]));
  }
  return longest;
}

std::optional<SpecialTokens::Match> SpecialTokens::find(std::string_view text, size_t from) const {
  if (nodes_.empty()) return std::nullopt;
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (first_[static_cast<uint8_t>(text[begin])] == kNone) continue;
    const Match match = longest_at(text, begin);
    if (match.length > 0) return match;
  }
  return std::nullopt;
}

}  // namespace quire
