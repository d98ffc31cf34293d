// A JSON schema (draft 2020-12) as one conjunction of constraints: what `allOf`, `$ref` and keywords side
// by side say together. Read one keyword after the other; alternatives stay as they are.
//
// Keywords that constrain a value and cannot be kept to are refused by name (kUnsupported), or passed over
// where that is wanted (Strictness). Unknown keywords and formats
// are annotations, which constrain nothing.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "grammar/grammar_spec.h"
#include "grammar/json_values.h"
#include "grammar/number_grammar.h"
#include "grammar/regex.h"

namespace quire {

// Schemas that hold together.
using Conjunction = std::vector<SchemaValue>;

inline constexpr int32_t kMaxSchemaDepth = 48;  // of references and conjunctions in one another
// Schemas that are read, references and alternatives included; so many members of lists and objects that
// are read or copied count as one more.
inline constexpr int64_t kMaxSchemaParts = 8192;
inline constexpr int64_t kMembersPerPart = 64;
inline constexpr int64_t kMaxCounted = 100'000;  // of a length or a number of items

enum JsonTypes : uint8_t {
  kNoType = 0,
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,  // comes with kInteger
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAnyType = 127,
};

struct SchemaProperty {
  std::string_view name;  // in the document
  Conjunction schemas = {};
  bool required = false;
};

// Properties in the order in which they are first spoken of.
class SchemaProperties {
 public:
  SchemaProperty& operator[](std::string_view name);  // added if it is not there
  const SchemaProperty* find(std::string_view name) const;

  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  bool empty() const { return all_.empty(); }

 private:
  std::vector<SchemaProperty> all_;
  std::unordered_map<std::string_view, size_t> places_;
};

// Where an object stands in the document: the same place is the same object.
using SchemaPlace = simdjson::dom::object::iterator;
using SchemaPath = std::vector<SchemaPlace>;

struct JsonSchema {
  uint8_t types = kAnyType;
  uint8_t implied_types = kNoType;  // that its other keywords speak of
  SharedValues values;              // `enum` and `const`; null: neither is there

  NumberBounds bounds;
  std::optional<int64_t> multiple_of;

  LengthRange length;  // of strings
  std::optional<std::string> pattern;

  LengthRange num_items;
  std::vector<SchemaValue> prefix_items;
  Conjunction items;  // those after prefix_items
  bool no_more_items = false;
  bool mixed_items = false;  // prefixItems and items of different objects, which do not know each other

  SchemaProperties properties;
  bool has_properties = false;  // the keyword is there
  // What holds for each property that the same object does not name.
  struct Additional {
    SchemaValue schema;
    std::shared_ptr<const std::unordered_set<std::string_view>> named;  // by `properties` beside it
    bool after_all = false;  // unevaluatedProperties: those that no object names
  };
  std::vector<Additional> additional;
  Conjunction names;  // of properties
  LengthRange num_properties;

  struct Alternatives {
    std::vector<SchemaValue> branches;
    bool exclusive = false;  // `oneOf`
    SchemaPath path;         // the objects around it that speak of the same value
  };
  std::vector<Alternatives> alternatives;

  SchemaPath places;        // of what was read into it
  int64_t num_members = 0;  // of lists and objects that were read into it
};

// Reads schemas of one document.
class SchemaReader {
 public:
  SchemaReader(SchemaValue root, Strictness strictness) : root_(root), strictness_(strictness) {}

  Strictness strictness() const { return strictness_; }
  bool lenient() const { return strictness_ == Strictness::kLenient; }
  // Whether it says that something cannot be kept to, which then need not be.
  bool passes_over(const Error& error) const { return lenient() && error.code == ErrorCode::kUnsupported; }

  // Adds what `value` says to `schema`. An object that is part of it already adds nothing; one that is on
  // the path on which it was come to, or refers back to itself, is an error.
  Expected<> read(SchemaValue value, JsonSchema& schema, const SchemaPath& path = {});

  // What a reference within the document points to.
  Expected<SchemaValue> resolve(std::string_view reference) const;

  // An error if `path` leads through the value.
  static Expected<> check_off_path(SchemaValue value, const SchemaPath& path);

  // The reference of a schema that says nothing else.
  static std::optional<std::string_view> lone_reference(SchemaValue value);

  // An error if it is more than a schema may hold.
  Expected<> charge(int64_t num_parts, int64_t num_members);

 private:
  Expected<> read_part(SchemaValue value, JsonSchema& schema, int32_t depth);
  Expected<> read_keyword(std::string_view keyword, SchemaValue value, JsonSchema& schema, int32_t depth);
  Expected<> read_object(simdjson::dom::object object, JsonSchema& schema, int32_t depth);
  Expected<> read_list_of_parts(SchemaValue value, JsonSchema& schema, int32_t depth);
  Expected<> read_values(std::vector<SchemaValue> values, JsonSchema& schema);
  Expected<> read_alternatives(std::string_view keyword, SchemaValue value, JsonSchema& schema);
  Expected<> count_members(const simdjson::dom::object& object, JsonSchema& schema);

  SchemaValue root_;
  Strictness strictness_;
  SchemaPath path_;
  int64_t num_members_ = 0;  // that are read or copied, parts among them
};

}  // namespace quire
