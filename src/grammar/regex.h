// Regular expressions as far as a context-free grammar can keep them: sets, groups, alternatives and
// counted repetition, in the syntax that JavaScript and Python share. A pattern stands for the whole text:
// ^ and $ may stand at its ends and change nothing. What dialects read differently (does \d match Arabic
// digits?) is taken in the sense that all of them accept. Not supported, and refused by name: look-around,
// back references, word boundaries, Unicode properties, flags, anchors elsewhere.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "grammar/ebnf.h"
#include "grammar/grammar_budget.h"

namespace quire {

inline constexpr int64_t kNoLimit = -1;
inline constexpr int32_t kMaxRegexDepth = 32;
inline constexpr int64_t kMaxRegexSize = kMaxGrammarCost;  // of size_of(); cost_of() is no less
inline constexpr int64_t kCostOfAny = 2;  // of cost_of(), for a character that is nearly any

// What a character may be: sorted ranges that do not touch, without surrogates.
using CodePointSet = std::vector<CodePointRange>;

struct RegexNode {
  enum class Kind : uint8_t { kSet, kSequence, kChoice, kRepeat } kind = Kind::kSequence;
  CodePointSet set = {};                 // kSet
  std::vector<RegexNode> children = {};  // kSequence (maybe none), kChoice; kRepeat: one
  int64_t least = 1, most = 1;           // kRepeat; most may be kNoLimit
};

// Valid UTF-8 within kMaxRegexBytes. Errors: kInvalidArgument or kUnsupported, with the place.
Expected<RegexNode> parse_regex(std::string_view pattern);

// How many characters what it matches can have; most may be kNoLimit.
struct LengthRange {
  int64_t least = 0;
  int64_t most = kNoLimit;
};
LengthRange lengths(const RegexNode& node);

// The part of the pattern whose matches have so many characters; an error where it cannot be told apart
// (kUnsupported: which takes more than one repetition of varying length).
Expected<RegexNode> with_length(const RegexNode& node, LengthRange wanted);

// Characters once every repetition is written out.
int64_t size_of(const RegexNode& node);

// What a pattern of at most kMaxRegexSize takes to compile, as a GrammarBudget reckons: characters as in
// size_of(), those of large sets as kCostOfAny, and each as often as a text may be at several places of the
// pattern at once (.?.?.?, .{1,9}.{1,9}).
int64_t cost_of(const RegexNode& node);

// As EBNF: of the text itself, or of the text as it stands between the quotes of a JSON string. Charges the
// budget. Errors: kUnsupported (larger than kMaxRegexSize), kInvalidArgument (beyond the budget).
enum class TextForm : uint8_t { kPlain, kJsonString };
Expected<std::string> to_ebnf(const RegexNode& node, TextForm form, GrammarBudget& budget);

}  // namespace quire
