// Texts made to be hard: every kind of character that a rule looks at, malformed UTF-8, NUL, pieces of
// special tokens.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/rng.h"

namespace quire {

inline std::string random_text(uint64_t seed, size_t max_pieces) {
  static constexpr std::string_view kPieces[] = {
      "a",
      "b",
      "the",
      " the",
      "ing",
      "Z",
      "\u00E9",
      "\u017F",
      "\u4E2D",
      "\u0436",
      "\U00010348",
      "'s",
      "'LL",
      "'",
      "'re",
      "0",
      "12",
      "\u0663",
      "\u00BD",
      " ",
      "  ",
      "\t",
      "\n",
      "\r\n",
      "\u00A0",
      "\u3000",
      "\u2028",
      "!",
      "<|",
      "|>",
      "<|end|>",
      "_",
      "\u0301",
      "\u200D",
      "\U0001F642",
      "\xC0",
      "\xFF",
      "\xE4\xB8",
      "\x80",
      "\xF0\x9F\x99",
      "\xED\xA0\x80",
      "\x01",
      "\x7F",
      "ab",
      "abab",
      "(x)",
      "...",
      "<|end",
      "end|>",
  };
  Rng rng(seed);
  std::string text;
  for (uint64_t left = rng.below(max_pieces + 1); left > 0; --left) {
    const uint64_t choice = rng.below(std::size(kPieces) + 2);
    if (choice < std::size(kPieces)) {
      text += kPieces[choice];
    } else {
      text.push_back(static_cast<char>(rng.below(256)));
    }
  }
  return text;
}

}  // namespace quire
