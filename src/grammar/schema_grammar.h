// JSON schemas as EBNF: the text that the grammar allows is JSON which the schema validates. Where a schema
// leaves things open the grammar is narrower than it, never wider: properties come in the order in which the
// schema names them, properties without a name come only if the schema speaks of them
// (additionalProperties) or names none at all, patterns match whole strings, and between tokens stand at
// most kMaxWhitespace blanks.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "grammar/grammar_budget.h"

namespace quire {

inline constexpr int kMaxWhitespace = 8;

// Rules of EBNF with the root `root`. Errors (kInvalidArgument) name the keyword that is not supported.
Expected<std::string> schema_to_ebnf(std::string_view schema_json, GrammarBudget& budget);

// Any JSON object.
std::string json_object_ebnf();

}  // namespace quire
