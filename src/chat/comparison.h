// Truth, equality, order and membership as in Python.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "chat/rendering.h"
#include "chat/syntax.h"
#include "chat/value.h"

namespace quire::jinja {

bool is_true(const Value& value);

Expected<bool> are_equal(Rendering& rendering, const Value& a, const Value& b);

// An error for values that Python does not order. Unordered only where a NaN is.
Expected<std::partial_ordering> compare(Rendering& rendering, const Value& a, const Value& b);

// item in container
Expected<bool> contains(Rendering& rendering, const Value& container, const Value& item);

// Any of the comparison operators.
Expected<bool> holds(Rendering& rendering, Operator op, const Value& a, const Value& b);

// Booleans count as 0 and 1.
struct Number {
  bool is_integer = true;
  int64_t integer = 0;
  double number = 0;  // the value in either case
};
std::optional<Number> as_numeric(const Value& value);

}  // namespace quire::jinja
