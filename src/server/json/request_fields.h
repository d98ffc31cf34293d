// How the fields of a JSON object become members of a request: a table of rules, one row a field, which also
// says what the field takes and means, for the API's description. A name without a rule is an error that
// suggests the nearest one, unless told otherwise; null stands for a field that is not there, whatever its
// name: clients write what they know of and have no value for.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "server/json/field_schema.h"
#include "server/json/json_document.h"

namespace quire {

struct JsonField {
  std::string_view name;
  JsonValue value;
  bool ignore_unknown = false;  // as JsonFields', for what is within
};

// An object whose members are fields.
struct JsonFields {
  JsonObject object;
  bool ignore_unknown = false;  // a member without a rule is passed over, not an error
};

// Reads a field's value, and says what it takes.
struct FieldReader {
  using Read = std::function<Expected<>(const JsonField& field)>;
  FieldReader(const FieldSchema& schema, Read read) : schema(schema), read(std::move(read)) {}
  // One that leaves what it takes to its help.
  template <std::invocable<const JsonField&> Function>
  FieldReader(Function read) : schema{.json = "{}"}, read(std::move(read)) {}

  FieldSchema schema;
  Read read;  // the value is not null
};

struct FieldRule {
  std::string_view name;
  FieldReader reader;
  std::string_view help = {};
  bool required = false;
};

// Whether it is there, and not null.
bool has_member(JsonObject object, std::string_view name);

// Applies to each member the first rule of its name; a required one must be there. `owner` is what a message
// calls the object, e.g. "stream_options"; empty: the request itself.
Expected<> read_fields(const JsonFields& fields, std::span<const FieldRule> rules,
                       std::string_view owner = {});

// The value within the schema's range, or an error.
Expected<int64_t> read_integer(const JsonField& field, const FieldSchema& schema);

// The value as one type, or an error that says what it is instead. No type stands in for another: 1.0 is no
// integer, true is no number.
Expected<bool> read_boolean(const JsonField& field);
Expected<int64_t> read_integer(const JsonField& field);
Expected<double> read_number(const JsonField& field);
Expected<std::string> read_string(const JsonField& field);
Expected<JsonArray> read_array(const JsonField& field);
Expected<JsonFields> read_object(const JsonField& field);

// An array of token ids that fit TokenId; whether the vocabulary has them is the model's to say.
Expected<std::vector<TokenId>> read_token_ids(const JsonField& field);

// Readers that store what they read. `target` outlives them.
FieldReader into(bool& target);
FieldReader into(std::optional<bool>& target);
FieldReader into(std::string& target);
FieldReader into(std::optional<std::string>& target);
FieldReader into(std::optional<int64_t>& target);
FieldReader into(std::vector<TokenId>& target);
// Integers of a range, both ends in it.
FieldReader into(int32_t& target, int64_t min, int64_t max);
FieldReader into(std::optional<int32_t>& target, int64_t min, int64_t max);

// The value must be as `schema` says, and has no effect here.
FieldReader no_effect(const FieldSchema& schema);
// A field of an object without effect.
FieldRule object_without_effect(std::string_view name, std::string_view help = {});
// Of a field that asks for what is not to be had: nothing is taken but null and `neutral`, the value
// (as compact JSON) by which clients say that they do not ask for it. `why` ends the message.
FieldReader unsupported(std::string_view why, std::string_view neutral = "null");

// The rules for reading alone: whoever reads looks for required fields, and has messages of its own.
std::vector<FieldRule> required_later(std::vector<FieldRule> rules);

// Writes the schema of an object with these fields; others may be null.
void write_object_schema(JsonWriter& json, std::span<const FieldRule> rules);
// Of a value that one of these tables describes, or `other`, JSON of a schema, if there is that.
void write_any_of(JsonWriter& json, std::string_view other,
                  std::initializer_list<std::span<const FieldRule>> objects);
// Of an array of what `write` describes.
template <void (*write)(JsonWriter&), int min_items>
void write_array_schema(JsonWriter& json) {
  json.begin_object();
  json.field("type", "array");
  json.field("minItems", min_items);
  json.key("items");
  write(json);
  json.end_object();
}

}  // namespace quire
