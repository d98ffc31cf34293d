// How the hidden states of a sequence's tokens become its embedding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quire {

enum class Pooling : uint8_t {
  kNone,  // no embedding: tokens are generated
  kMean,  // of all tokens
  kCls,   // the first token's
  kLast,  // the last token's
};

// "mean", "cls" or "last"; none for anything else.
std::optional<Pooling> parse_pooling(std::string_view name);

}  // namespace quire
