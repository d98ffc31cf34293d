// Python's two ways of filling in a text: "..." % values, and "...".format(values) without format
// specifications.
#pragma once

#include "base/error.h"
#include "chat/marked_text.h"
#include "chat/rendering.h"
#include "chat/template_object.h"
#include "chat/value.h"

namespace quire::jinja {

// `values` is a tuple, an object (for %(name)s), or the one value there is.
Expected<Value> format_percent(Rendering& rendering, const MarkedText& format, const Value& values);

Expected<Value> format_braces(Rendering& rendering, const MarkedText& format, const Arguments& arguments);

}  // namespace quire::jinja
