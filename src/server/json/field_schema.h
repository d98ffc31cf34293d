// What a field of a request takes, as plain data: what its reader checks, and what the API's description
// (openapi.h) says in JSON Schema 2020-12.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "server/json/json_document.h"
#include "server/json/json_writer.h"

namespace quire {

struct FieldSchema {
  std::string_view type = {};  // JSON Schema's name: boolean, integer, number, string, array, object
  // Of numbers.
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_exclusive = false;
  std::string_view choices = {};              // of strings: "a|b|c"
  std::string_view only = {};                 // the one value, as compact JSON, that may be given
  std::optional<double> default_value = {};   // of booleans (1: true) and numbers
  std::string_view json = {};                 // what the above cannot say: the schema itself,
  void (*write)(JsonWriter& json) = nullptr;  // or who writes it
};

// That `value` is what type, range and choices say. `name` is what a message calls it.
Expected<> check_schema(std::string_view name, JsonValue value, const FieldSchema& schema);

// The schema of a field with `help`; one that may be left out may be null as well.
void write_schema(JsonWriter& json, const FieldSchema& schema, std::string_view help, bool nullable);

}  // namespace quire
