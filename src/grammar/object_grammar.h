// JSON objects of a schema as EBNF.
#pragma once

#include <string>

#include "base/error.h"
#include "base/function_ref.h"
#include "grammar/ebnf.h"
#include "grammar/json_schema.h"

namespace quire {

// `value` gives the expression for what a conjunction validates.
using ValueGrammar = FunctionRef<Expected<std::string>(const Conjunction& schemas)>;

// The name of a rule for the objects that `schema` validates, in which properties come in its order.
Expected<std::string> object_ebnf(const JsonSchema& schema, EbnfRules& rules, ValueGrammar value);

}  // namespace quire
