#include "server/requests/structured_output.h"

#include <utility>

namespace quire {
namespace {

using Spec = std::optional<GrammarSpec>;

Expected<> set(GrammarSpec found, std::string_view field, Spec& spec) {
  if (spec && spec->field == field) {
    return fail_param(std::string(field), "{} takes one kind of constraint only", field);
  }
  if (spec) {
    return fail_param(std::string(field), "{} and {} cannot be used together", spec->field, field);
  }
  found.field = field;
  spec = std::move(found);
  return {};
}

Expected<> set_text(GrammarKind kind, const JsonField& field, std::string_view owner, Spec& spec) {
  auto text = read_string(field);
  if (!text) return fail_param(std::string(owner), "{}", text.error().message);
  return set({.kind = kind, .text = std::move(*text)}, owner, spec);
}

// JSON as such, or as a string that holds it.
Expected<> set_json(GrammarKind kind, const JsonField& field, std::string_view owner, Spec& spec) {
  if (field.value.is_string()) return set_text(kind, field, owner, spec);
  return set({.kind = kind, .text = simdjson::minify(field.value)}, owner, spec);
}

Expected<> set_choices(const JsonField& field, std::string_view owner, Spec& spec) {
  const auto array = read_array(field);
  if (!array) return fail_param(std::string(owner), "{}", array.error().message);
  std::vector<std::string> choices;
  for (const JsonValue item : *array) {
    auto choice = read_string({"each choice", item});
    if (!choice) return fail_param(std::string(owner), "{}: {}", owner, choice.error().message);
    choices.push_back(std::move(*choice));
    if (choices.size() > kMaxChoices) {
      return fail_param(std::string(owner), "{} takes at most {} choices", owner, kMaxChoices);
    }
  }
  return set({.kind = GrammarKind::kChoice, .choices = std::move(choices)}, owner, spec);
}

Expected<> set_json_object(const JsonField& field, std::string_view owner, Spec& spec) {
  const auto wanted = read_boolean(field);
  if (!wanted) return fail_param(std::string(owner), "{}", wanted.error().message);
  return *wanted ? set({.kind = GrammarKind::kJsonObject}, owner, spec) : Expected<>();
}

constexpr std::string_view kFormat = "response_format";
constexpr std::string_view kOutputs = "structured_outputs";
constexpr std::string_view kText = "text";

// JSON of a schema, or its text.
constexpr FieldSchema kSchemaSchema = {.json = R"({"type":["object","string","boolean"]})"};

FieldReader schema_into(std::optional<JsonValue>& schema) {
  return {kSchemaSchema, [&schema](const JsonField& field) -> Expected<> {
            if (!field.value.is_object() && !field.value.is_bool() && !field.value.is_string()) {
              return fail(ErrorCode::kInvalidArgument,
                          "a schema must be an object, or true or false, but is {}",
                          type_name(field.value));
            }
            schema = field.value;
            return {};
          }};
}

// What a schema with a name has: {"name", "description", "schema", "strict"}.
struct NamedSchema {
  std::string name, description;
  std::optional<bool> strict;
  std::optional<JsonValue> schema;
};

void add_named_schema_rules(std::vector<FieldRule>& rules, NamedSchema& named) {
  rules.push_back({"name", into(named.name)});
  rules.push_back({"description", into(named.description)});
  rules.push_back({"strict", into(named.strict)});
  rules.push_back({"schema", schema_into(named.schema), {}, true});
}

// Such a schema, with what `rules` has beside. It is kept to, strict or not; where the client says that it
// need not be strict, as far as it can be.
Expected<> read_named_schema(const JsonFields& object, std::vector<FieldRule> rules, std::string_view owner,
                             Spec& spec) {
  NamedSchema named;
  add_named_schema_rules(rules, named);
  if (auto read = read_fields(object, required_later(std::move(rules)), "json_schema"); !read) {
    return fail_param(std::string(owner), "{}: {}", owner, read.error().message);
  }
  if (!named.schema) {
    return fail_param(std::string(owner), "the schema of json_schema is required in {}", owner);
  }
  if (auto read = set_json(GrammarKind::kJsonSchema, {"schema", *named.schema}, owner, spec); !read) {
    return read;
  }
  if (!named.strict.value_or(true)) spec->strictness = Strictness::kLenient;
  return {};
}

FieldRule format_type_rule(std::string_view types) {
  return {"type", no_effect({.type = "string", .choices = types}), {}, true};
}

// {"type": "json_schema", "schema": ...}
std::vector<FieldRule> output_format_rules(std::optional<JsonValue>& schema) {
  return {format_type_rule("json_schema"), {"schema", schema_into(schema), {}, true}};
}

Expected<> read_json_schema(const JsonField& field, Spec& spec) {
  const auto object = read_object(field);
  if (!object) return fail_param(std::string(kFormat), "{}", object.error().message);
  return read_named_schema(*object, {}, kFormat, spec);
}

Expected<> read_response_format(const JsonField& field, Spec& spec) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::string_view type;
  if (object->object["type"].get_string().get(type) != simdjson::SUCCESS) {
    return fail_param(std::string(kFormat),
                      "response_format.type must be text, json_object, json_schema or structural_tag");
  }
  if (type == "structural_tag") {
    return set({.kind = GrammarKind::kStructuralTag, .text = simdjson::minify(field.value)}, kFormat, spec);
  }
  std::string ignored;
  std::vector<FieldRule> rules = {{"type", into(ignored)}};
  bool has_schema = false;
  std::optional<JsonValue> schema;  // beside the type, where some clients have it
  if (type == "json_schema" || type == "json_object") rules.push_back({"schema", schema_into(schema)});
  if (type == "json_schema") {
    rules.push_back({"json_schema", [&](const JsonField& value) {
                       has_schema = true;
                       return read_json_schema(value, spec);
                     }});
  }
  if (auto read = read_fields(*object, rules, kFormat); !read) {
    return fail_param(std::string(kFormat), "{}", read.error().message);
  }
  if (type == "text") return {};
  if (schema && !schema->is_null()) {
    return set_json(GrammarKind::kJsonSchema, {"schema", *schema}, kFormat, spec);
  }
  if (type == "json_object") return set({.kind = GrammarKind::kJsonObject}, kFormat, spec);
  if (type != "json_schema") {
    return fail_param(
        std::string(kFormat),
        "response_format.type must be text, json_object, json_schema or structural_tag, but is '{}'",
        excerpt(type));
  }
  if (!has_schema) return fail_param(std::string(kFormat), "response_format.json_schema is required");
  return {};
}

// vLLM's: {"json"} or {"regex"} or ...
Expected<> read_structured_outputs(const JsonField& field, Spec& spec) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const auto text = [&](GrammarKind kind) {
    return [&spec, kind](const JsonField& value) { return set_text(kind, value, kOutputs, spec); };
  };
  const auto json = [&](GrammarKind kind) {
    return [&spec, kind](const JsonField& value) { return set_json(kind, value, kOutputs, spec); };
  };
  const FieldRule rules[] = {
      {"json", json(GrammarKind::kJsonSchema)},
      {"regex", text(GrammarKind::kRegex)},
      {"choice", [&](const JsonField& value) { return set_choices(value, kOutputs, spec); }},
      {"grammar", text(GrammarKind::kEbnf)},
      {"structural_tag", json(GrammarKind::kStructuralTag)},
      {"json_object", [&](const JsonField& value) { return set_json_object(value, kOutputs, spec); }},
      // vLLM's clients send these with the values that they have there without being asked for.
      {"disable_fallback", unsupported("there is one way to keep to a form", "false")},
      {"disable_any_whitespace", unsupported("where white space may stand is fixed", "false")},
      {"disable_additional_properties", unsupported("a schema says it itself", "false")},
      {"whitespace_pattern", unsupported("where white space may stand is fixed")},
  };
  if (auto read = read_fields(*object, rules, kOutputs); !read) {
    return fail_param(std::string(kOutputs), "{}", read.error().message);
  }
  if (spec && spec->field == kOutputs) return {};
  return fail_param(
      std::string(kOutputs),
      "structured_outputs needs one of json, regex, choice, grammar, structural_tag and json_object");
}

}  // namespace

Expected<> read_text_format(const JsonField& field, Spec& spec) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::string type;
  if (std::string_view text; object->object["type"].get_string().get(text) == simdjson::SUCCESS) {
    type = text;
  }
  std::vector<FieldRule> rules = {{"type", into(type)}};
  if (type == "json_schema") return read_named_schema(*object, std::move(rules), kText, spec);
  if (type != "text" && type != "json_object") {
    return fail_param(std::string(kText),
                      "the type of text.format must be text, json_object or json_schema, but is '{}'",
                      excerpt(type));
  }
  if (auto read = read_fields(*object, rules, "text.format"); !read) return read;
  return type == "text" ? Expected<>() : set({.kind = GrammarKind::kJsonObject}, kText, spec);
}

void write_text_format_schema(JsonWriter& json) {
  NamedSchema named;
  std::vector<FieldRule> of_schema = {format_type_rule("json_schema")};
  add_named_schema_rules(of_schema, named);
  write_any_of(json, {}, {std::vector{format_type_rule("text|json_object")}, of_schema});
}

Expected<> read_output_format(const JsonField& field, Spec& spec) {
  constexpr std::string_view kOwner = "output_config";
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::optional<JsonValue> schema;
  if (auto read = read_fields(*object, output_format_rules(schema), "output_config.format"); !read) {
    return fail_param(std::string(kOwner), "{}", read.error().message);
  }
  return set_json(GrammarKind::kJsonSchema, {"schema", *schema}, kOwner, spec);
}

void write_output_format_schema(JsonWriter& json) {
  std::optional<JsonValue> schema;
  write_object_schema(json, output_format_rules(schema));
}

void add_structured_output_rules(std::vector<FieldRule>& rules, Spec& spec) {
  rules.push_back(
      {kFormat,
       {{.json = R"({"type":"object","required":["type"],"properties":{"type":{"type":"string",)"
                 R"("enum":["text","json_object","json_schema","structural_tag"]}}})"},
        [&spec](const JsonField& field) { return read_response_format(field, spec); }},
       "what answers must be: JSON of a schema, any JSON object, text with tagged parts, or just text"});
  rules.push_back({"structured_outputs",
                   {{.json = R"({"type":"object"})"},
                    [&spec](const JsonField& field) { return read_structured_outputs(field, spec); }},
                   "the same as vLLM says it: one of json, json_object, regex, choice, grammar and "
                   "structural_tag"});
  rules.push_back({"guided_json",
                   {kSchemaSchema,
                    [&spec](const JsonField& field) {
                      return set_json(GrammarKind::kJsonSchema, field, field.name, spec);
                    }},
                   "a JSON schema that answers follow"});
  rules.push_back(
      {"guided_regex",
       {{.type = "string"},
        [&spec](const JsonField& field) { return set_text(GrammarKind::kRegex, field, field.name, spec); }},
       "a regular expression that answers match as a whole"});
  rules.push_back({"guided_choice",
                   {{.json = R"({"type":"array","items":{"type":"string"},"minItems":1})"},
                    [&spec](const JsonField& field) { return set_choices(field, field.name, spec); }},
                   "the texts of which answers are one"});
  rules.push_back(
      {"guided_grammar",
       {{.type = "string"},
        [&spec](const JsonField& field) { return set_text(GrammarKind::kEbnf, field, field.name, spec); }},
       "a grammar in xgrammar's EBNF whose language answers are of"});
}

}  // namespace quire
