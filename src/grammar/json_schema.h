// A JSON schema (draft 2020-12) as one conjunction of constraints: what `allOf`, `$ref` and keywords side
// by side say together. Read one keyword after the other; alternatives stay as they are.
//
// Everything that is not understood is refused by name, but for annotations, which constrain nothing.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "grammar/number_grammar.h"
#include "grammar/regex.h"

namespace quire {

using SchemaValue = simdjson::dom::element;
// Schemas that hold together.
using Conjunction = std::vector<SchemaValue>;

inline constexpr int32_t kMaxSchemaDepth = 48;  // of references and conjunctions in one another
inline constexpr int32_t kMaxSchemaNodes =
    8192;  // schemas that are read, references and alternatives included
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
  std::string name;
  Conjunction schemas;
  bool required = false;
};

struct JsonSchema {
  uint8_t types = kAnyType;
  uint8_t implied_types = kNoType;                 // that its other keywords speak of
  std::optional<std::vector<SchemaValue>> values;  // `enum` and `const`

  NumberBounds bounds;
  std::optional<int64_t> multiple_of;

  LengthRange length;  // of strings
  std::optional<std::string> pattern;

  LengthRange num_items;
  std::vector<SchemaValue> prefix_items;
  Conjunction items;  // those after prefix_items
  bool no_more_items = false;
  bool mixed_items = false;  // prefixItems and items of different objects, which do not know each other

  std::vector<SchemaProperty> properties;  // in the order in which they are written
  bool has_properties = false;             // the keyword is there
  // What holds for each property that the same object does not name.
  struct Additional {
    SchemaValue schema;
    std::optional<simdjson::dom::object> named;  // `properties` beside it
    bool after_all = false;                      // unevaluatedProperties: those that no object names
  };
  std::vector<Additional> additional;
  Conjunction names;  // of properties
  LengthRange num_properties;

  struct Alternatives {
    std::vector<SchemaValue> branches;
    bool exclusive = false;  // `oneOf`
  };
  std::vector<Alternatives> alternatives;
};

// Reads schemas of one document.
class SchemaReader {
 public:
  explicit SchemaReader(SchemaValue root) : root_(root) {}

  // Adds what `value` says to `schema`.
  Expected<> read(SchemaValue value, JsonSchema& schema) { return read(value, schema, 0); }

  // What a reference within the document points to.
  Expected<SchemaValue> resolve(std::string_view reference) const;

  // The reference of a schema that says nothing else.
  static std::optional<std::string_view> lone_reference(SchemaValue value);

 private:
  Expected<> read(SchemaValue value, JsonSchema& schema, int32_t depth);
  Expected<> read_keyword(std::string_view keyword, SchemaValue value, JsonSchema& schema, int32_t depth);
  Expected<> read_object(simdjson::dom::object object, JsonSchema& schema, int32_t depth);

  SchemaValue root_;
  int32_t num_nodes_ = 0;
};

}  // namespace quire
