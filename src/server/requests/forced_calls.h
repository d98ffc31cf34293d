// Calls of tools that the grammar sees to: that there is one (tool_choice), that arguments are as the tool's
// schema has them (required ones, named ones, and those of strict tools), and that calls may come where text
// has a form (response_format and the like).
#pragma once

#include <optional>

#include "base/error.h"
#include "grammar/grammar_spec.h"
#include "server/model_output.h"
#include "server/requests/tools_request.h"

namespace quire {

// The grammar of an answer, or none if it is free; `form`: that of its text, if it has one. A call that must
// come takes the place of the text; others may. Of reasoning it says nothing.
// kInvalidArgument, naming the field, where calls are forced or strict: for a style without calls, a form
// that cannot be kept to, and a structural tag as the form, which says itself which calls there may be.
Expected<std::optional<GrammarSpec>> call_grammar(const ModelOutput& output, const ToolOffer& offer,
                                                  std::optional<GrammarSpec> form = std::nullopt);

}  // namespace quire
