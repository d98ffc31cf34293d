// Reading a built-in's bound arguments as the types it wants.
#pragma once

#include <string_view>

#include "base/error.h"
#include "chat/marked_text.h"
#include "chat/value.h"

namespace quire::jinja {

// `fallback` where the argument was not given or is none; an error if it is no integer.
Expected<int64_t> read_integer(const Value* argument, std::string_view name, int64_t fallback);

// The argument must be there, and a string.
Expected<const MarkedText*> read_text(const Value* argument, std::string_view name);

// Whether it was given and is true.
bool read_flag(const Value* argument);

inline bool is_given(const Value* argument) { return argument != nullptr && !argument->is_null(); }

}  // namespace quire::jinja
