// Bounds on a grammar that a client wrote, looked at before it is compiled: xgrammar cannot be stopped.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "grammar/grammar_budget.h"

namespace quire {

inline constexpr size_t kMaxEbnfBytes = 64 << 10;  // that a client may send
inline constexpr int64_t kMaxEbnfCounts = 4096;    // all of {m,n}, added
inline constexpr int32_t kMaxEbnfDepth = 64;       // of parentheses

// Valid UTF-8 of bounded size, nesting and repetition, with a rule `root` and without xgrammar's macros and
// attributes of rules. What it means is the compiler's to say. Returns the sum of its counts. Charges the
// budget with its text, and with what it takes to compile as far as one can tell without following names.
Expected<int64_t> check_ebnf(std::string_view text, GrammarBudget& budget);

}  // namespace quire
