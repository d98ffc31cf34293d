#include "server/json/field_schema.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace quire {
namespace {

// With its article, as type_name() has it.
std::string_view phrase(std::string_view type) {
  if (type == "boolean") return "true or false";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  if (type == "string") return "a string";
  return type == "array" ? "an array" : "an object";
}

bool has_type(JsonValue value, std::string_view type) {
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  return type == "array" ? value.is_array() : value.is_object();
}

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> words;
  while (!choices.empty()) {
    const size_t end = std::min(choices.find('|'), choices.size());
    words.push_back(choices.substr(0, end));
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return words;
}

Expected<> check_choice(std::string_view name, std::string_view value, std::string_view choices) {
  const auto words = split_choices(choices);
  if (std::ranges::find(words, value) != words.end()) return {};
  return fail_param(std::string(name), "{} must be one of {}, but is '{}'", name, fmt::join(words, ", "),
                    excerpt(value));
}

Expected<> check_range(std::string_view name, double value, const FieldSchema& schema) {
  const bool low = schema.min_exclusive ? !(value > schema.min) : !(value >= schema.min);
  if (!low && value <= schema.max) return {};
  const std::string_view least = schema.min_exclusive ? "greater than" : "at least";
  if (std::isinf(schema.max)) {
    return fail_param(std::string(name), "{} must be {} {}, but is {}", name, least, schema.min, value);
  }
  return fail_param(std::string(name), "{} must be {} {} and at most {}, but is {}", name, least,
                    schema.min, schema.max, value);
}

// Bounds beyond 2^53 are no doubles; such integers are checked by their type.
void write_bound(JsonWriter& json, std::string_view key, double bound) {
  if (std::isinf(bound)) return;
  if (bound == std::floor(bound)) {
    json.field(key, static_cast<int64_t>(bound));
  } else {
    json.field(key, bound);
  }
}

void write_type(JsonWriter& json, std::string_view type, bool nullable) {
  if (!nullable) return json.field("type", type);
  json.key("type");
  json.begin_array();
  json.string(type);
  json.string("null");
  json.end_array();
}

void write_choices(JsonWriter& json, std::string_view choices, bool nullable) {
  json.key("enum");
  json.begin_array();
  for (const auto word : split_choices(choices)) json.string(word);
  if (nullable) json.null();
  json.end_array();
}

void write_only(JsonWriter& json, std::string_view only) {
  json.key("enum");
  json.begin_array();
  json.null();
  if (only != "null") json.raw(only);
  json.end_array();
}

// A schema that stands by itself, beside null.
void write_whole(JsonWriter& json, const FieldSchema& schema, bool nullable) {
  json.key(nullable ? "anyOf" : "allOf");
  json.begin_array();
  if (schema.write) {
    schema.write(json);
  } else {
    json.raw(schema.json);
  }
  if (nullable) json.raw(R"({"type":"null"})");
  json.end_array();
}

void write_default(JsonWriter& json, const FieldSchema& schema) {
  if (!schema.default_value) return;
  if (schema.type == "boolean") return json.field("default", *schema.default_value != 0);
  write_bound(json, "default", *schema.default_value);
}

}  // namespace

Expected<> check_schema(std::string_view name, JsonValue value, const FieldSchema& schema) {
  if (!schema.type.empty() && !has_type(value, schema.type)) {
    return fail_param(std::string(name), "{} must be {}, but is {}", name, phrase(schema.type),
                      type_name(value));
  }
  if (!schema.choices.empty()) return check_choice(name, value.get_string().value_unsafe(), schema.choices);
  if (!value.is_number()) return {};
  return check_range(name, value.get_double().value_unsafe(), schema);
}

void write_schema(JsonWriter& json, const FieldSchema& schema, std::string_view help, bool nullable) {
  json.begin_object();
  if (schema.write || !schema.json.empty()) {
    write_whole(json, schema, nullable);
  } else if (!schema.only.empty()) {
    write_only(json, schema.only);
  } else {
    write_type(json, schema.type, nullable);
    write_bound(json, schema.min_exclusive ? "exclusiveMinimum" : "minimum", schema.min);
    write_bound(json, "maximum", schema.max);
    if (!schema.choices.empty()) write_choices(json, schema.choices, nullable);
    write_default(json, schema);
  }
  if (!help.empty()) json.field("description", help);
  json.end_object();
}

}  // namespace quire
