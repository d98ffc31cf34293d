// What a client asks the output to look like, before it is compiled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace quire {

enum class GrammarKind : uint8_t {
  kJsonObject,     // any JSON object
  kJsonSchema,     // JSON that a schema validates; `text` is the schema
  kRegex,          // a whole output that the regular expression matches
  kChoice,         // one of `choices`
  kEbnf,           // a grammar in xgrammar's EBNF with the rule `root`
  kStructuralTag,  // text with constrained parts; `text` is JSON (structural_tag.h)
};

struct GrammarSpec {
  GrammarKind kind = GrammarKind::kJsonObject;
  std::string text = {};
  std::vector<std::string> choices = {};
  // What a client calls it, for messages and as the `param` of errors; e.g. "response_format".
  std::string field = {};
};

// Bounds on what is looked at, before anything is spent on it.
inline constexpr size_t kMaxGrammarBytes = 256 << 10;
inline constexpr size_t kMaxRegexBytes = 8 << 10;
inline constexpr size_t kMaxChoices = 4096;

}  // namespace quire
