#include "engine/stop_strings.h"

#include <algorithm>

#include "base/text.h"

namespace quire {

StopStrings::StopStrings(std::span<const std::string> strings) {
  for (const std::string& string : strings) {
    if (string.empty() || !is_valid_utf8(string)) continue;
    const size_t i = strings_.size();
    strings_.push_back(string);
    borders_.push_back({0, 0});
    for (size_t k = 1; k < string.size(); ++k) borders_[i].push_back(advance(i, borders_[i][k], string[k]));
  }
}

uint32_t StopStrings::advance(size_t i, uint32_t matched, char byte) const {
  const std::string& string = strings_[i];
  while (matched > 0 && string[matched] != byte) matched = borders_[i][matched];
  return string[matched] == byte ? matched + 1 : 0;
}

std::optional<StopMatcher::Match> StopMatcher::push(std::string_view piece, bool may_end) {
  for (size_t at = 0; at < piece.size(); ++at) {
    std::optional<Match> longest;
    for (size_t i = 0; i < matched_.size(); ++i) {
      const size_t size = (*strings_)[i].size();
      matched_[i] = strings_->advance(i, matched_[i], piece[at]);
      if (matched_[i] < size) continue;
      matched_[i] = strings_->border(i);
      if (may_end && (!longest || size > (*strings_)[longest->index].size())) longest = {i, at + 1};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

size_t StopMatcher::held_bytes() const {
  return matched_.empty() ? 0 : *std::max_element(matched_.begin(), matched_.end());
}

}  // namespace quire
