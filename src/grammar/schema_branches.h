// Whether the branches of a `oneOf` exclude each other, so that a choice of one is right.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "grammar/json_schema.h"

namespace quire {

// The types that the value is of: an integer is a number too.
uint8_t types_of(SchemaValue value);

// An error (kUnsupported) unless it can be shown: by types, by values, or by a property that both require
// and that tells them apart.
Expected<> check_exclusive(SchemaReader& reader, std::span<const SchemaValue> branches);

}  // namespace quire
