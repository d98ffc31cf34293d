// The JSON document that a schema stands in, and the values that it lists.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace quire {

using SchemaValue = simdjson::dom::element;

// An error unless its strings are valid UTF-8 and no object has a name twice, which simdjson leaves to its
// user.
Expected<> check_document(SchemaValue value);

// Equal values have equal texts (JSON Schema's equality): 1 and 1.0, objects whatever the order of their
// members.
std::string canonical_json(SchemaValue value);

// As a literal of Python: True, False and None, the rest as JSON has it, with escapes that both know.
std::string python_literal(SchemaValue value);

struct ListedValue {
  std::string canonical;
  SchemaValue value;  // as it is written
};
// By their canonical texts, each once.
using ValueList = std::vector<ListedValue>;
using SharedValues = std::shared_ptr<const ValueList>;

SharedValues list_values(const std::vector<SchemaValue>& values);
SharedValues values_of_both(const ValueList& a, const ValueList& b);
// `steps` goes down by what it took; below 0 it stopped early.
bool share_a_value(const ValueList& a, const ValueList& b, int64_t& steps);

}  // namespace quire
