// Values as Python's str() and repr() write them, which is what templates print.
#pragma once

#include <string>

#include "base/error.h"
#include "chat/marked_text.h"
#include "chat/rendering.h"
#include "chat/value.h"

namespace quire::jinja {

// str(value) at the end of `out`. Undefined is empty.
Expected<> append_str(Rendering& rendering, const Value& value, MarkedText& out);
Expected<> append_repr(Rendering& rendering, const Value& value, MarkedText& out);

// str(value) as a text of its own; cheap for a string.
Expected<Value> to_str(Rendering& rendering, const Value& value);

// The shortest decimal that reads back as `number`, written as Python does: 1.0, 1e-07, inf.
std::string float_repr(double number);

// What Python calls the value's type, for messages.
std::string_view type_name(const Value& value);

}  // namespace quire::jinja
