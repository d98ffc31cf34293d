// The `format`s of JSON Schema that strings are generated in, as patterns for whole texts. Each stands for a
// part of what the format allows, so that every validator accepts it.
#pragma once

#include <string_view>

namespace quire {

// Empty if the format is not known.
std::string_view format_pattern(std::string_view format);

}  // namespace quire
