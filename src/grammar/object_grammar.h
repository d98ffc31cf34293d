// JSON objects of a schema as EBNF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/function_ref.h"
#include "grammar/ebnf.h"
#include "grammar/grammar_budget.h"
#include "grammar/json_schema.h"

namespace quire {

// `value` gives the expression for what a conjunction validates.
using ValueGrammar = FunctionRef<Expected<std::string>(const Conjunction& schemas)>;

// Names that the schema does not give are kept apart from those that it gives by so many beginnings of
// these; one that goes on as a name does beyond them is not generated.
inline constexpr size_t kMaxNameBeginnings = 128;

// kBraces: {"a": 1, "b": 2}. kArguments: a=1, b=2 (Notation::kPythonArguments).
enum class ObjectForm : uint8_t { kBraces, kArguments };

// The name of a rule for the objects that `schema` validates, in which properties come in its order.
Expected<std::string> object_ebnf(const JsonSchema& schema, EbnfRules& rules, GrammarBudget& budget,
                                  ValueGrammar value, ObjectForm form, Strictness strictness);

// Whether it may be the name of an argument.
bool is_argument_name(std::string_view name);
// Of a property that has no such name.
std::unexpected<Error> no_argument_name(std::string_view name);

}  // namespace quire
