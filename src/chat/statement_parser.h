// A template's source to its syntax tree.
#pragma once

#include <string_view>

#include "base/error.h"
#include "chat/chat_template.h"
#include "chat/syntax.h"

namespace quire::jinja {

Expected<Body> parse_template(std::string_view source, const TemplateLimits& limits);

}  // namespace quire::jinja
