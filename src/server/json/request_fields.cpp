#include "server/json/request_fields.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace quire {
namespace {

std::unexpected<Error> wrong_type(const JsonField& field, std::string_view expected) {
  return fail_param(std::string(field.name), "{} must be {}, but is {}", field.name, expected,
                    type_name(field.value));
}

std::string in_owner(std::string_view owner) {
  return owner.empty() ? std::string() : fmt::format(" in {}", owner);
}

std::unexpected<Error> unknown_field(std::string_view name, std::span<const FieldRule> rules,
                                     std::string_view owner) {
  std::vector<std::string_view> names;
  for (const auto& rule : rules) names.push_back(rule.name);
  const std::string_view nearest = nearest_name(name, names);
  const std::string place = in_owner(owner);
  if (nearest.empty()) return fail_param(excerpt(name), "unknown field '{}'{}", excerpt(name), place);
  return fail_param(excerpt(name), "unknown field '{}'{}; did you mean '{}'?", excerpt(name), place,
                    nearest);
}

}  // namespace

bool has_member(JsonObject object, std::string_view name) {
  JsonValue value;
  return object.at_key(name).get(value) == simdjson::SUCCESS && !value.is_null();
}

Expected<> read_fields(const JsonFields& fields, std::span<const FieldRule> rules, std::string_view owner) {
  for (const auto member : fields.object) {
    if (member.value.is_null()) continue;
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.name == member.key; });
    if (rule == rules.end() && fields.ignore_unknown) continue;
    if (rule == rules.end()) return unknown_field(member.key, rules, owner);
    if (auto read = rule->reader.read({rule->name, member.value, fields.ignore_unknown}); !read)
      return read;
  }
  for (const auto& rule : rules) {
    if (rule.required && !has_member(fields.object, rule.name)) {
      return fail_param(std::string(rule.name), "{} is required{}", rule.name, in_owner(owner));
    }
  }
  return {};
}

Expected<bool> read_boolean(const JsonField& field) {
  if (!field.value.is_bool()) return wrong_type(field, "true or false");
  return field.value.get_bool().value_unsafe();
}

Expected<int64_t> read_integer(const JsonField& field) {
  if (!field.value.is_int64()) {
    if (!field.value.is_uint64()) return wrong_type(field, "an integer");
    return fail_param(std::string(field.name), "{} is too large: {}", field.name,
                      field.value.get_uint64().value_unsafe());
  }
  return field.value.get_int64().value_unsafe();
}

Expected<int64_t> read_integer(const JsonField& field, const FieldSchema& schema) {
  const auto value = read_integer(field);
  if (!value) return value;
  if (auto checked = check_schema(field.name, field.value, schema); !checked) {
    return std::unexpected(checked.error());
  }
  return value;
}

Expected<double> read_number(const JsonField& field) {
  if (!field.value.is_number()) return wrong_type(field, "a number");
  return field.value.get_double().value_unsafe();
}

Expected<std::string> read_string(const JsonField& field) {
  if (!field.value.is_string()) return wrong_type(field, "a string");
  return std::string(field.value.get_string().value_unsafe());
}

Expected<JsonArray> read_array(const JsonField& field) {
  if (!field.value.is_array()) return wrong_type(field, "an array");
  return field.value.get_array().value_unsafe();
}

Expected<JsonFields> read_object(const JsonField& field) {
  if (!field.value.is_object()) return wrong_type(field, "an object");
  return JsonFields{field.value.get_object().value_unsafe(), field.ignore_unknown};
}

Expected<std::vector<TokenId>> read_token_ids(const JsonField& field) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  std::vector<TokenId> ids;
  for (const JsonValue item : *array) {
    const auto id = read_integer({field.name, item});
    if (!id) {
      return fail_param(std::string(field.name), "each token id of {} must be an integer, but one is {}",
                        field.name, type_name(item));
    }
    if (!std::in_range<TokenId>(*id)) {
      return fail_param(std::string(field.name), "{} has {}, which is no token id", field.name, *id);
    }
    ids.push_back(static_cast<TokenId>(*id));
  }
  return ids;
}

namespace {

constexpr std::string_view kTokenIdsSchema =
    R"({"type":"array","items":{"type":"integer","minimum":0,"maximum":2147483647}})";

// Stores what `read` returns.
template <class T, class Target>
FieldReader::Read store(Expected<T> (*read)(const JsonField&), Target& target) {
  return [read, &target](const JsonField& field) -> Expected<> {
    auto value = read(field);
    if (!value) return std::unexpected(value.error());
    target = std::move(*value);
    return {};
  };
}

// Of a range within 32 bits.
template <class Target>
FieldReader::Read store_integer(const FieldSchema& schema, Target& target) {
  return [schema, &target](const JsonField& field) -> Expected<> {
    const auto value = read_integer(field, schema);
    if (!value) return std::unexpected(value.error());
    target = static_cast<int32_t>(*value);
    return {};
  };
}

FieldSchema range_schema(int64_t min, int64_t max) {
  return {.type = "integer", .min = static_cast<double>(min), .max = static_cast<double>(max)};
}

}  // namespace

FieldReader into(bool& target) {
  return {{.type = "boolean", .default_value = target ? 1 : 0}, store(read_boolean, target)};
}
FieldReader into(std::optional<bool>& target) { return {{.type = "boolean"}, store(read_boolean, target)}; }
FieldReader into(std::string& target) { return {{.type = "string"}, store(read_string, target)}; }
FieldReader into(std::optional<std::string>& target) {
  return {{.type = "string"}, store(read_string, target)};
}
FieldReader into(std::optional<int64_t>& target) {
  return {{.type = "integer"}, store(read_integer, target)};
}
FieldReader into(std::vector<TokenId>& target) {
  return {{.json = kTokenIdsSchema}, store(read_token_ids, target)};
}
FieldReader into(int32_t& target, int64_t min, int64_t max) {
  FieldSchema schema = range_schema(min, max);
  schema.default_value = target;
  return {schema, store_integer(schema, target)};
}
FieldReader into(std::optional<int32_t>& target, int64_t min, int64_t max) {
  const FieldSchema schema = range_schema(min, max);
  return {schema, store_integer(schema, target)};
}

FieldReader no_effect(const FieldSchema& schema) {
  return {schema,
          [schema](const JsonField& field) { return check_schema(field.name, field.value, schema); }};
}

FieldRule object_without_effect(std::string_view name, std::string_view help) {
  return {name, no_effect({.type = "object"}), help};
}

FieldReader unsupported(std::string_view why, std::string_view neutral) {
  return {{.only = neutral}, [why, neutral](const JsonField& field) -> Expected<> {
            if (simdjson::minify(field.value) == neutral) return {};
            return fail_param(std::string(field.name), "{} is not supported: {}; it must be left out{}",
                              field.name, why,
                              neutral == "null" ? std::string() : fmt::format(" or be {}", neutral));
          }};
}

std::vector<FieldRule> required_later(std::vector<FieldRule> rules) {
  for (FieldRule& rule : rules) rule.required = false;
  return rules;
}

void write_any_of(JsonWriter& json, std::string_view other,
                  std::initializer_list<std::span<const FieldRule>> objects) {
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  if (!other.empty()) json.raw(other);
  for (const auto rules : objects) write_object_schema(json, rules);
  json.end_array();
  json.end_object();
}

void write_object_schema(JsonWriter& json, std::span<const FieldRule> rules) {
  json.begin_object();
  json.field("type", "object");
  json.key("properties");
  json.begin_object();
  for (const auto& rule : rules) {
    json.key(rule.name);
    write_schema(json, rule.reader.schema, rule.help, !rule.required);
  }
  json.end_object();
  if (std::ranges::any_of(rules, &FieldRule::required)) {
    json.key("required");
    json.begin_array();
    for (const auto& rule : rules) {
      if (rule.required) json.string(rule.name);
    }
    json.end_array();
  }
  json.key("additionalProperties");
  json.raw(R"({"type":"null"})");
  json.end_object();
}

}  // namespace quire
