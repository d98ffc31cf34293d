// Python's arithmetic on template values. Integers have 64 bits: a result that needs more is an error.
#pragma once

#include "base/error.h"
#include "chat/rendering.h"
#include "chat/syntax.h"
#include "chat/value.h"

namespace quire::jinja {

// a op b for + - * / // % **, which also join, repeat and format strings, and join and repeat lists.
Expected<Value> apply_operator(Rendering& rendering, Operator op, const Value& a, const Value& b);

Expected<Value> negate(const Value& value);

}  // namespace quire::jinja
