// JSON schemas as EBNF: the text that the grammar allows is JSON which the schema validates. Where a schema
// leaves things open the grammar is narrower than it, never wider: properties come in the order in which the
// schema names them, properties without a name come only if the schema speaks of them
// (additionalProperties) or names none at all, patterns match whole strings, and between tokens stand at
// most kMaxWhitespace blanks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "grammar/grammar_budget.h"
#include "grammar/grammar_spec.h"

namespace quire {

inline constexpr int kMaxWhitespace = 8;

// What is generated. kPythonArguments: the keyword arguments of a call in Python, a=1, b=["x", True, None],
// for an object that the schema validates; values are literals, with escapes that JSON and Python read
// alike. Names of arguments have letters of ASCII, digits, _ and -; a schema with others is an error.
enum class Notation : uint8_t { kJson, kPythonArguments };

// Rules of EBNF with the root `root`. Errors (kInvalidArgument, kUnsupported) name the keyword that is at
// fault.
Expected<std::string> schema_to_ebnf(std::string_view schema_json, GrammarBudget& budget,
                                     Notation notation = Notation::kJson,
                                     Strictness strictness = Strictness::kStrict);

// Any JSON object.
std::string json_object_ebnf();

}  // namespace quire
