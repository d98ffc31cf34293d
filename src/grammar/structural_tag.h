// Structural tags: free text with constrained parts, as JSON. Both forms that vLLM's clients send:
//   {"type": "structural_tag", "structures": [{"begin", "schema", "end"}, ...], "triggers": [...]}
//   {"type": "structural_tag", "format": {...}}
// of which the second is xgrammar's own language. What of it is taken is a list of formats with their
// members (structural_tag.cpp): formats of text, not of tokens, each with its `type`. Schemas and patterns
// in them are read here, so that they mean what they mean elsewhere and are bounded as elsewhere; xgrammar
// sees none.
//
// Tags that the server writes for calls of tools are of the second form; a json_schema in them may also have
// the `style` "python_arguments" (Notation::kPythonArguments), and `strict`, false: Strictness::kLenient.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "grammar/grammar_budget.h"
#include "grammar/grammar_spec.h"

namespace quire {

inline constexpr int64_t kMaxTagFormats = 1024;    // in a tag
inline constexpr int64_t kMaxTagTexts = 128;       // in an array of triggers, excludes or ends
inline constexpr int64_t kMaxTagTextBytes = 1024;  // of each of them
inline constexpr int64_t kMaxTagCounts = 4096;     // of repetitions in one another, multiplied, and in all

enum class TagAuthor : uint8_t { kClient, kServer };

// The format of a tag in either form, without a schema or regular expression left in it.
Expected<std::string> read_structural_tag(std::string_view json, TagAuthor author, GrammarBudget& budget);

// The format of a whole grammar in EBNF.
std::string grammar_format(std::string_view ebnf);
// What `format` says, after reasoning. White space may stand between the two.
std::string format_after(const ReasoningMarks& reasoning, std::string_view format);

// What one of the two says.
std::string either_format(std::string_view a, std::string_view b);

// As xgrammar takes it.
std::string structural_tag(std::string_view format);

}  // namespace quire
