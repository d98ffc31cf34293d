// JSON numbers within bounds, as EBNF. What is generated is a subset that every reader of JSON understands
// the same: at most 15 digits before the point, and no more digits in all than a double keeps. Integers have
// more, up to those of 64 bits, where their bounds have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "grammar/ebnf.h"

namespace quire {

struct NumberBounds {
  // Of finite values; any integer of 64 bits is one of them.
  std::optional<long double> least, most;
  bool above_least = false;  // the bounds themselves are out
  bool below_most = false;

  // Both, or the narrower of two.
  void raise_least(long double value, bool exclusive);
  void lower_most(long double value, bool exclusive);
};

inline constexpr int32_t kMaxIntegerDigits = 15;
inline constexpr int64_t kMaxMultiples = 1000;  // that are written out one by one
inline constexpr int64_t kMaxModulus = 64;      // of an unbounded multipleOf

// Errors: nothing lies between the bounds (kInvalidArgument), or what they ask for cannot be written so
// (kUnsupported).
Expected<std::string> number_ebnf(const NumberBounds& bounds);
// multiple_of: at least 1.
Expected<std::string> integer_ebnf(const NumberBounds& bounds, int64_t multiple_of, EbnfRules& rules);

}  // namespace quire
