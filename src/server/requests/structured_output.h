// What a request asks its output to look like: OpenAI's `response_format`, vLLM's `structured_outputs`, and
// the older guided_json, guided_regex, guided_choice and guided_grammar.
#pragma once

#include <optional>
#include <vector>

#include "grammar/grammar_spec.h"
#include "server/json/request_fields.h"

namespace quire {

// Adds the rules of these fields, of which a request may have one. `spec` outlives the rules.
void add_structured_output_rules(std::vector<FieldRule>& rules, std::optional<GrammarSpec>& spec);

// The value of `text.format` in OpenAI's responses: text, json_object or json_schema.
Expected<> read_text_format(const JsonField& field, std::optional<GrammarSpec>& spec);
void write_text_format_schema(JsonWriter& json);

// The value of `output_config.format` in Anthropic's messages: {"type": "json_schema", "schema"}.
Expected<> read_output_format(const JsonField& field, std::optional<GrammarSpec>& spec);
void write_output_format_schema(JsonWriter& json);

}  // namespace quire
