// Calls of tools that the grammar sees to: that there is one (tool_choice), and that arguments are as the
// tool's schema has them (required ones, named ones, and those of strict tools).
#pragma once

#include <optional>

#include "base/error.h"
#include "grammar/grammar_spec.h"
#include "server/model_output.h"
#include "server/requests/tools_request.h"

namespace quire {

// None if the offer forces nothing. Of reasoning before a call it says nothing.
// kInvalidArgument, naming the field, for a style whose calls no JSON schema describes.
Expected<std::optional<GrammarSpec>> call_grammar(const ModelOutput& output, const ToolOffer& offer);

}  // namespace quire
