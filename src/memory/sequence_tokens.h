// A sequence's tokens as they lie: its prompt, then its output. A view.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/types.h"

namespace quire {

struct SequenceTokens {
  std::span<const TokenId> prompt;
  std::span<const TokenId> output = {};

  int32_t size() const { return static_cast<int32_t>(prompt.size() + output.size()); }

  // The tokens from position `first` on, as many as `out` holds; there must be so many.
  void copy(int32_t first, std::span<TokenId> out) const {
    const auto begin = static_cast<size_t>(first);
    const size_t from_prompt = begin < prompt.size() ? std::min(out.size(), prompt.size() - begin) : 0;
    if (from_prompt > 0) std::ranges::copy(prompt.subspan(begin, from_prompt), out.begin());
    if (from_prompt == out.size()) return;
    const size_t skipped = begin + from_prompt - prompt.size();
    std::ranges::copy(output.subspan(skipped, out.size() - from_prompt), out.subspan(from_prompt).begin());
  }
};

}  // namespace quire
