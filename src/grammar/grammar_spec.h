// What a client asks the output to look like, before it is compiled.
#pragma once

#include <cstdint>
#include <optional>
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
  kToolCalls,      // the same, written by the server for calls of tools
};

// What reasoning stands between in a model's output.
struct ReasoningMarks {
  std::string open;  // empty: it is under way when the output begins
  std::string close;
};

// Calls of tools that may come in place of an output.
struct CallsInPlace {
  std::string tag;    // as kToolCalls has it
  std::string field;  // as GrammarSpec has it
};

// What becomes of a schema's keywords that cannot be kept to: an error, or they are passed over, each by
// itself.
enum class Strictness : uint8_t { kStrict, kLenient };

struct GrammarSpec {
  GrammarKind kind = GrammarKind::kJsonObject;
  std::string text = {};
  std::vector<std::string> choices = {};
  Strictness strictness = Strictness::kStrict;  // of kJsonSchema
  // What a client calls it, for messages and as the `param` of errors; e.g. "response_format".
  std::string field = {};
  // Free text that comes first: if `open` is empty it does, up to `close`, else it may.
  std::optional<ReasoningMarks> reasoning = {};
  // The output, behind the reasoning, is what is said above or these.
  std::optional<CallsInPlace> calls = {};
};

// Bounds on what is looked at, before anything is spent on it.
inline constexpr size_t kMaxGrammarBytes = 256 << 10;
inline constexpr size_t kMaxRegexBytes = 8 << 10;
inline constexpr size_t kMaxChoices = 4096;

}  // namespace quire
