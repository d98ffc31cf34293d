#include "grammar/json_schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/text.h"
#include "grammar/string_format.h"

namespace quire {
namespace {

constexpr size_t kBytesPerMember = 16;  // of listed values

// All by which any draft from 3 to 2020-12 constrains a value, those that are refused among them.
constexpr auto kKeywords = std::to_array<std::string_view>({
    "$dynamicRef",
    "$recursiveRef",
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "disallow",
    "divisibleBy",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "extends",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
});

// As is every other keyword (draft 2020-12, 6.5).
bool is_annotation(std::string_view keyword) {
  return std::ranges::find(kKeywords, keyword) == kKeywords.end();
}

std::unexpected<Error> wrong(std::string_view keyword, std::string_view expected) {
  return fail(ErrorCode::kInvalidArgument, "the keyword '{}' of the schema must be {}", keyword, expected);
}

std::unexpected<Error> unsupported(std::string_view keyword, std::string_view advice = {}) {
  return fail(ErrorCode::kUnsupported, "the schema has the keyword '{}', which is not supported{}{}",
              keyword.substr(0, 64), advice.empty() ? "" : ": ", advice);
}

Expected<std::string_view> read_text(std::string_view keyword, SchemaValue value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return wrong(keyword, "a string");
  return text;
}

Expected<simdjson::dom::array> read_list(std::string_view keyword, SchemaValue value) {
  simdjson::dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS || list.size() == 0)
    return wrong(keyword, "an array that is not empty");
  return list;
}

Expected<int64_t> read_count(std::string_view keyword, SchemaValue value) {
  const auto expected = fmt::format("an integer of 0 to {}", kMaxCounted);
  double number = 0;
  if (!value.is_number() || value.get_double().get(number) != simdjson::SUCCESS)
    return wrong(keyword, expected);
  if (!(number >= 0 && number <= static_cast<double>(kMaxCounted)) || number != std::floor(number)) {
    return wrong(keyword, expected);
  }
  return static_cast<int64_t>(number);
}

Expected<long double> read_bound(std::string_view keyword, SchemaValue value) {
  int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return integer;
  double number = 0;
  if (!value.is_number() || value.get_double().get(number) != simdjson::SUCCESS || !std::isfinite(number)) {
    return wrong(keyword, "a number");
  }
  return number;
}

Expected<uint8_t> type_named(std::string_view name) {
  if (name == "null") return kNull;
  if (name == "boolean") return kBoolean;
  if (name == "integer") return kInteger;
  if (name == "number") return static_cast<uint8_t>(kNumber | kInteger);
  if (name == "string") return kString;
  if (name == "array") return kArray;
  if (name == "object") return kObject;
  return fail(ErrorCode::kInvalidArgument, "the schema has the type '{}', which JSON does not have",
              name.substr(0, 64));
}

Expected<> read_type(SchemaValue value, JsonSchema& schema) {
  uint8_t types = kNoType;
  const auto add = [&](SchemaValue name) -> Expected<> {
    const auto text = read_text("type", name);
    if (!text) return std::unexpected(text.error());
    const auto type = type_named(*text);
    if (!type) return std::unexpected(type.error());
    types |= *type;
    return {};
  };
  if (value.is_array()) {
    const auto list = read_list("type", value);
    if (!list) return std::unexpected(list.error());
    for (const SchemaValue name : *list) {
      if (auto added = add(name); !added) return added;
    }
  } else if (auto added = add(value); !added) {
    return added;
  }
  schema.types &= types;
  return {};
}

Expected<> read_number_keyword(std::string_view keyword, SchemaValue value, JsonSchema& schema) {
  schema.implied_types |= kNumber | kInteger;
  const auto number = read_bound(keyword, value);
  if (!number) return std::unexpected(number.error());
  if (keyword == "minimum") {
    schema.bounds.raise_least(*number, false);
  } else if (keyword == "exclusiveMinimum") {
    schema.bounds.raise_least(*number, true);
  } else if (keyword == "maximum") {
    schema.bounds.lower_most(*number, false);
  } else if (keyword == "exclusiveMaximum") {
    schema.bounds.lower_most(*number, true);
  } else {
    if (!(*number >= 1 && *number <= 1e9) || *number != std::floor(*number)) {
      return unsupported("multipleOf", "it must be a whole number from 1 to 1e9");
    }
    if (schema.multiple_of) return unsupported("multipleOf", "it is there twice");
    schema.multiple_of = static_cast<int64_t>(*number);
  }
  return {};
}

// What pydantic writes for Decimal has a look-ahead, which only says that there is a digit.
constexpr std::string_view kPydanticDecimal = R"(^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$)";
constexpr std::string_view kDecimal = R"(^[+-]?(\d+\.?\d*|\.\d+)$)";

Expected<> read_pattern(std::string_view keyword, SchemaValue value, JsonSchema& schema) {
  const auto text = read_text(keyword, value);
  if (!text) return std::unexpected(text.error());
  std::string_view pattern = *text;
  if (keyword == "format") {
    pattern = format_pattern(*text);
    if (pattern.empty()) return {};  // an annotation (draft 2020-12, 7.2)
  }
  if (pattern == kPydanticDecimal) pattern = kDecimal;
  schema.implied_types |= kString;
  if (schema.pattern && *schema.pattern != pattern) {
    return unsupported(keyword, "a string takes one pattern or format only");
  }
  schema.pattern = pattern;
  return {};
}

Expected<> narrow(std::string_view keyword, SchemaValue value, bool least, LengthRange& range) {
  const auto count = read_count(keyword, value);
  if (!count) return std::unexpected(count.error());
  if (least) {
    range.least = std::max(range.least, *count);
  } else {
    range.most = range.most == kNoLimit ? *count : std::min(range.most, *count);
  }
  return {};
}

Expected<> read_properties(SchemaValue value, JsonSchema& schema) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return wrong("properties", "an object");
  schema.implied_types |= kObject;
  schema.has_properties = true;
  for (const auto member : object) schema.properties[member.key].schemas.push_back(member.value);
  return {};
}

Expected<> read_required(SchemaValue value, JsonSchema& schema) {
  simdjson::dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return wrong("required", "an array of strings");
  schema.implied_types |= kObject;
  for (const SchemaValue item : list) {
    const auto name = read_text("required", item);
    if (!name) return wrong("required", "an array of strings");
    schema.properties[*name].required = true;
  }
  return {};
}

std::shared_ptr<const std::unordered_set<std::string_view>> names_of(simdjson::dom::object object) {
  auto names = std::make_shared<std::unordered_set<std::string_view>>();
  for (const auto member : object) names->insert(member.key);
  return names;
}

bool is_empty_object(SchemaValue value) {
  simdjson::dom::object object;
  return value.get_object().get(object) == simdjson::SUCCESS && object.size() == 0;
}

// What speaks of other keywords of the same object.
void read_neighbours(simdjson::dom::object object, JsonSchema& schema) {
  simdjson::dom::element value;
  // Which are the others is for patternProperties to say, where that is passed over.
  const bool has_patterns =
      object["patternProperties"].get(value) == simdjson::SUCCESS && !is_empty_object(value);
  for (const char* keyword : {"additionalProperties", "unevaluatedProperties"}) {
    if (object[keyword].get(value) != simdjson::SUCCESS) continue;
    schema.implied_types |= kObject;
    if (has_patterns) continue;
    JsonSchema::Additional additional{.schema = value, .named = nullptr};
    additional.after_all = std::string_view(keyword) == "unevaluatedProperties";
    simdjson::dom::object named;
    if (object["properties"].get_object().get(named) == simdjson::SUCCESS)
      additional.named = names_of(named);
    schema.additional.push_back(additional);
  }
  const bool has_prefix = object["prefixItems"].error() == simdjson::SUCCESS;
  const bool has_items = object["items"].error() == simdjson::SUCCESS;
  const bool had_items = !schema.items.empty() || schema.no_more_items;
  if ((has_items && !has_prefix && !schema.prefix_items.empty()) || (has_prefix && had_items)) {
    schema.mixed_items = true;
  }
}

Expected<> read_items(std::string_view keyword, SchemaValue value, JsonSchema& schema) {
  schema.implied_types |= kArray;
  if (keyword == "prefixItems") {
    const auto list = read_list(keyword, value);
    if (!list) return std::unexpected(list.error());
    if (!schema.prefix_items.empty()) return unsupported(keyword, "it is there twice");
    for (const SchemaValue item : *list) schema.prefix_items.push_back(item);
    return {};
  }
  if (value.is_array()) return unsupported(keyword, "a list of schemas is called prefixItems");
  if (value.is_bool() && !value.get_bool().value_unsafe()) {
    schema.no_more_items = true;
  } else {
    schema.items.push_back(value);
  }
  return {};
}

}  // namespace

SchemaProperty& SchemaProperties::operator[](std::string_view name) {
  const auto [known, fresh] = places_.try_emplace(name, all_.size());
  if (fresh) all_.push_back({.name = name});
  return all_[known->second];
}

const SchemaProperty* SchemaProperties::find(std::string_view name) const {
  const auto known = places_.find(name);
  return known == places_.end() ? nullptr : &all_[known->second];
}

std::optional<std::string_view> SchemaReader::lone_reference(SchemaValue value) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<std::string_view> reference;
  for (const auto member : object) {
    std::string_view text;
    if (member.key == "$ref" && member.value.get_string().get(text) == simdjson::SUCCESS) {
      reference = text;
    } else if (!is_annotation(member.key)) {
      return std::nullopt;
    }
  }
  return reference;
}

Expected<SchemaValue> SchemaReader::resolve(std::string_view reference) const {
  SchemaValue target = root_;
  if (reference == "#") return target;
  const bool local = reference.starts_with("#/");
  if (!reference.empty() && reference[0] == '#' && !local) {
    return fail(ErrorCode::kUnsupported,
                "the schema has the $ref '{}', but only paths from the root are followed: '#/...'",
                reference.substr(0, 128));
  }
  // As a fragment of a URI spells it (RFC 6901, 6), or as it is written where that is not known.
  const std::string_view spelled = local ? reference.substr(1) : std::string_view();
  const std::string pointer = percent_decoded(spelled).value_or(std::string(spelled));
  if (!local || root_.at_pointer(pointer).get(target) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "the schema has the $ref '{}', which points to nothing in it",
                reference.substr(0, 128));
  }
  return target;
}

Expected<> SchemaReader::check_off_path(SchemaValue value, const SchemaPath& path) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return {};
  if (std::ranges::find(path, object.begin()) == path.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              "the schema has a $ref by which a part of it refers to itself, deeper and deeper, with no "
              "property or "
              "item between");
}

Expected<> SchemaReader::charge(int64_t num_parts, int64_t num_members) {
  num_members_ += num_parts * kMembersPerPart + num_members;
  if (num_members_ <= kMaxSchemaParts * kMembersPerPart) return {};
  return fail(ErrorCode::kInvalidArgument,
              "the schema has more than {} parts, references and alternatives written out",
              kMaxSchemaParts);
}

Expected<> SchemaReader::read(SchemaValue value, JsonSchema& schema, const SchemaPath& path) {
  path_ = path;
  return read_part(value, schema, 0);
}

Expected<> SchemaReader::read_part(SchemaValue value, JsonSchema& schema, int32_t depth) {
  if (depth > kMaxSchemaDepth) {
    return fail(ErrorCode::kInvalidArgument, "the schema's references and allOf go deeper than {} levels",
                kMaxSchemaDepth);
  }
  if (auto charged = charge(1, 0); !charged) return charged;
  if (value.is_bool()) {
    if (!value.get_bool().value_unsafe()) schema.types = kNoType;
    return {};
  }
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "a schema must be an object, or true or false");
  }
  if (auto checked = check_off_path(value, path_); !checked) return checked;
  const SchemaPlace place = object.begin();
  if (std::ranges::find(schema.places, place) != schema.places.end()) return {};
  schema.places.push_back(place);
  path_.push_back(place);
  auto read = read_object(object, schema, depth);
  path_.pop_back();
  return read;
}

Expected<> SchemaReader::read_object(simdjson::dom::object object, JsonSchema& schema, int32_t depth) {
  if (auto counted = count_members(object, schema); !counted) return counted;
  read_neighbours(object, schema);
  SchemaValue properties;  // first, so that their order is that of the object
  if (object["properties"].get(properties) == simdjson::SUCCESS) {
    if (auto read = read_properties(properties, schema); !read) return read;
  }
  for (const auto member : object) {
    if (is_annotation(member.key) || member.key == "properties") continue;
    auto read = read_keyword(member.key, member.value, schema, depth);
    if (!read && !passes_over(read.error())) return read;
  }
  return {};
}

// Its own, and those of what its keywords list.
Expected<> SchemaReader::count_members(const simdjson::dom::object& object, JsonSchema& schema) {
  auto count = static_cast<int64_t>(object.size());
  for (const auto member : object) {
    if (member.value.is_array())
      count += static_cast<int64_t>(member.value.get_array().value_unsafe().size());
    if (member.value.is_object())
      count += static_cast<int64_t>(member.value.get_object().value_unsafe().size());
  }
  schema.num_members += count;
  return charge(0, count);
}

// Those of both, where there was a list before.
Expected<> SchemaReader::read_values(std::vector<SchemaValue> values, JsonSchema& schema) {
  const SharedValues list = list_values(values);
  size_t bytes = 0;
  for (const auto& item : *list) bytes += item.canonical.size();
  schema.values = schema.values ? values_of_both(*schema.values, *list) : list;
  return charge(0, static_cast<int64_t>(bytes / kBytesPerMember));
}

Expected<> SchemaReader::read_list_of_parts(SchemaValue value, JsonSchema& schema, int32_t depth) {
  const auto list = read_list("allOf", value);
  if (!list) return std::unexpected(list.error());
  for (const SchemaValue part : *list) {
    if (auto read = read_part(part, schema, depth + 1); !read) return read;
  }
  return {};
}

Expected<> SchemaReader::read_alternatives(std::string_view keyword, SchemaValue value,
                                           JsonSchema& schema) {
  const auto list = read_list(keyword, value);
  if (!list) return std::unexpected(list.error());
  auto& alternatives = schema.alternatives.emplace_back();
  alternatives.exclusive = keyword == "oneOf" && list->size() > 1;
  alternatives.path = path_;
  for (const SchemaValue branch : *list) alternatives.branches.push_back(branch);
  return {};
}

Expected<> SchemaReader::read_keyword(std::string_view keyword, SchemaValue value, JsonSchema& schema,
                                      int32_t depth) {
  if (keyword == "type") return read_type(value, schema);
  if (keyword == "enum") {
    const auto list = read_list(keyword, value);
    if (!list) return std::unexpected(list.error());
    return read_values({list->begin(), list->end()}, schema);
  }
  if (keyword == "const") return read_values({value}, schema);
  if (keyword == "$ref") {
    const auto text = read_text(keyword, value);
    if (!text) return std::unexpected(text.error());
    const auto target = resolve(*text);
    if (!target) return std::unexpected(target.error());
    return read_part(*target, schema, depth + 1);
  }
  if (keyword == "allOf") return read_list_of_parts(value, schema, depth);
  if (keyword == "anyOf" || keyword == "oneOf") return read_alternatives(keyword, value, schema);
  if (keyword == "minimum" || keyword == "maximum" || keyword == "exclusiveMinimum" ||
      keyword == "exclusiveMaximum" || keyword == "multipleOf") {
    return read_number_keyword(keyword, value, schema);
  }
  if (keyword == "pattern" || keyword == "format") return read_pattern(keyword, value, schema);
  if (keyword == "minLength" || keyword == "maxLength") {
    schema.implied_types |= kString;
    return narrow(keyword, value, keyword == "minLength", schema.length);
  }
  if (keyword == "minItems" || keyword == "maxItems") {
    schema.implied_types |= kArray;
    return narrow(keyword, value, keyword == "minItems", schema.num_items);
  }
  if (keyword == "items" || keyword == "prefixItems") return read_items(keyword, value, schema);
  if (keyword == "uniqueItems" && value.is_bool() && !value.get_bool().value_unsafe()) return {};
  if ((keyword == "patternProperties" || keyword == "dependentRequired" || keyword == "dependentSchemas") &&
      is_empty_object(value)) {
    return {};
  }
  if (keyword == "required") return read_required(value, schema);
  if (keyword == "additionalProperties" || keyword == "unevaluatedProperties")
    return {};  // read_neighbours
  if (keyword == "propertyNames") {
    schema.implied_types |= kObject;
    return schema.names.push_back(value), Expected<>();
  }
  if (keyword == "minProperties" || keyword == "maxProperties") {
    schema.implied_types |= kObject;
    return narrow(keyword, value, keyword == "minProperties", schema.num_properties);
  }
  return unsupported(keyword);
}

}  // namespace quire
