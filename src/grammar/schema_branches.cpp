#include "grammar/schema_branches.h"

#include <cmath>
#include <map>
#include <string_view>
#include <vector>

namespace quire {
namespace {

constexpr int64_t kMaxComparisons = 20'000'000;  // of values and of branches with each other

// Of a branch without alternatives of its own.
uint8_t types_within(const JsonSchema& schema) {
  if (!schema.values) return schema.types;
  uint8_t types = kNoType;
  for (const auto& listed : *schema.values) types |= types_of(listed.value);
  return types & schema.types;
}

// Whether branches exclude each other, each looked at with each.
class ExclusiveBranches {
 public:
  explicit ExclusiveBranches(SchemaReader& reader) : reader_(reader) {}

  Expected<> read(std::span<const SchemaValue> values) {
    for (const SchemaValue value : values) {
      Branch& branch = branches_.emplace_back();
      if (auto done = reader_.read(value, branch.schema); !done) return done;
      branch.types = types_within(branch.schema);
    }
    return {};
  }

  Expected<> check() {
    for (size_t i = 0; i < branches_.size(); ++i) {
      for (size_t j = i + 1; j < branches_.size(); ++j) {
        const auto apart = exclude_each_other(branches_[i], branches_[j]);
        if (!apart) return std::unexpected(apart.error());
        if (steps_left_ < 0) {
          return fail(
              ErrorCode::kUnsupported,
              "the schema has a oneOf with too many branches or values to tell them apart: use anyOf");
        }
        if (*apart) continue;
        return fail(
            ErrorCode::kUnsupported,
            "the schema has a oneOf whose branches {} and {} may hold together, which is not supported: "
            "use anyOf, or tell them apart by type or by a required property with const",
            i, j);
      }
    }
    return {};
  }

 private:
  struct Branch {
    JsonSchema schema = {};
    uint8_t types = kNoType;
    std::map<std::string_view, SharedValues> tags = {};  // by property; null: any value
  };

  Expected<bool> exclude_each_other(Branch& a, Branch& b) {
    --steps_left_;
    const uint8_t shared = a.types & b.types;
    if (shared == kNoType) return true;
    if (a.schema.values && b.schema.values &&
        !share_a_value(*a.schema.values, *b.schema.values, steps_left_)) {
      return true;
    }
    if (shared != kObject) return false;
    return told_apart_by_a_property(a, b);
  }

  Expected<bool> told_apart_by_a_property(Branch& a, Branch& b) {
    for (const SchemaProperty& property : a.schema.properties) {
      if (--steps_left_ < 0) break;
      const SchemaProperty* same = property.required ? b.schema.properties.find(property.name) : nullptr;
      if (same == nullptr || !same->required) continue;
      const auto ours = tags(a, property);
      if (!ours) return std::unexpected(ours.error());
      const auto theirs = tags(b, *same);
      if (!theirs) return std::unexpected(theirs.error());
      if (*ours && *theirs && !share_a_value(**ours, **theirs, steps_left_)) return true;
    }
    return false;
  }

  // The values that a required property of the branch may have; null if they are not listed.
  Expected<SharedValues> tags(Branch& branch, const SchemaProperty& property) {
    const auto [known, fresh] = branch.tags.try_emplace(property.name);
    if (!fresh) return known->second;
    JsonSchema schema;
    for (const SchemaValue part : property.schemas) {
      if (auto read = reader_.read(part, schema); !read) return std::unexpected(read.error());
    }
    known->second = schema.values;
    return schema.values;
  }

  SchemaReader& reader_;
  std::vector<Branch> branches_;
  int64_t steps_left_ = kMaxComparisons;
};

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
  ExclusiveBranches all(reader);
  if (auto read = all.read(branches); !read) return read;
  return all.check();
}

}  // namespace quire
