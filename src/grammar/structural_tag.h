// Structural tags: free text with constrained parts, as JSON. Both forms that vLLM's clients send:
//   {"type": "structural_tag", "structures": [{"begin", "schema", "end"}, ...], "triggers": ["<function="]}
//   {"type": "structural_tag", "format": {...}}
// of which the second is xgrammar's own language (const_string, json_schema, regex, grammar, any_text, tag,
// triggered_tags, tags_with_separator, sequence, or, ...). Schemas and patterns in them are read here, so
// that they mean what they mean elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

// The second form, without a schema or regular expression left in it.
Expected<std::string> normalized_structural_tag(std::string_view json);

}  // namespace quire
