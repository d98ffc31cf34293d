#include "grammar/schema_branches.h"

#include <algorithm>
#include <cmath>

namespace quire {
namespace {

bool share_a_value(const std::vector<SchemaValue>& a, const std::vector<SchemaValue>& b) {
  return std::ranges::any_of(a, [&](SchemaValue one) {
    const std::string text = simdjson::minify(one);
    return std::ranges::any_of(b, [&](SchemaValue other) { return simdjson::minify(other) == text; });
  });
}

// The values that a required property may have; null if they are not listed.
Expected<std::optional<std::vector<SchemaValue>>> tags(SchemaReader& reader,
                                                       const SchemaProperty& property) {
  JsonSchema schema;
  if (!property.required) return std::nullopt;
  for (const SchemaValue part : property.schemas) {
    if (auto read = reader.read(part, schema); !read) return std::unexpected(read.error());
  }
  return schema.values;
}

Expected<bool> told_apart_by_a_property(SchemaReader& reader, const JsonSchema& a, const JsonSchema& b) {
  for (const auto& property : a.properties) {
    const auto same = std::ranges::find(b.properties, property.name, &SchemaProperty::name);
    if (same == b.properties.end()) continue;
    const auto ours = tags(reader, property);
    if (!ours) return std::unexpected(ours.error());
    const auto theirs = tags(reader, *same);
    if (!theirs) return std::unexpected(theirs.error());
    if (*ours && *theirs && !share_a_value(**ours, **theirs)) return true;
  }
  return false;
}

// Of a branch without alternatives of its own.
uint8_t types_within(const JsonSchema& schema) {
  if (!schema.values) return schema.types;
  uint8_t types = kNoType;
  for (const SchemaValue value : *schema.values) types |= types_of(value);
  return types & schema.types;
}

Expected<bool> exclude_each_other(SchemaReader& reader, const JsonSchema& a, const JsonSchema& b) {
  const uint8_t shared = types_within(a) & types_within(b);
  if (shared == kNoType) return true;
  if (a.values && b.values && !share_a_value(*a.values, *b.values)) return true;
  if (shared != kObject) return false;
  return told_apart_by_a_property(reader, a, b);
}

}  // namespace

uint8_t types_of(SchemaValue value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::NULL_VALUE: return kNull;
    case element_type::BOOL: return kBoolean;
    case element_type::STRING: return kString;
    case element_type::ARRAY: return kArray;
    case element_type::OBJECT: return kObject;
    case element_type::INT64:
    case element_type::UINT64: return kInteger | kNumber;
    case element_type::DOUBLE: break;
  }
  const double number = value.get_double().value_unsafe();
  return number == std::floor(number) ? kInteger | kNumber : kNumber;
}

Expected<> check_exclusive(SchemaReader& reader, std::span<const SchemaValue> branches) {
  std::vector<JsonSchema> read(branches.size());
  for (size_t i = 0; i < branches.size(); ++i) {
    if (auto done = reader.read(branches[i], read[i]); !done) return done;
  }
  for (size_t i = 0; i < read.size(); ++i) {
    for (size_t j = i + 1; j < read.size(); ++j) {
      const auto apart = exclude_each_other(reader, read[i], read[j]);
      if (!apart) return std::unexpected(apart.error());
      if (*apart) continue;
      return fail(
          ErrorCode::kInvalidArgument,
          "the schema has a oneOf whose branches {} and {} may hold together, which is not supported: "
          "use anyOf, or tell them apart by type or by a required property with const",
          i, j);
    }
  }
  return {};
}

}  // namespace quire
