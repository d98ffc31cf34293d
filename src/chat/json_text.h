// The tojson filter as chat templates have it: Python's json.dumps with ensure_ascii off, and no HTML
// escapes.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "chat/marked_text.h"
#include "chat/rendering.h"
#include "chat/value.h"

namespace quire::jinja {

struct JsonLayout {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // one level's; none: all on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

Expected<> append_json(Rendering& rendering, const Value& value, const JsonLayout& layout, MarkedText& out);

}  // namespace quire::jinja
