// The tables of built-ins, one a file; builtins.cpp looks names up in them.
#pragma once

#include <span>

#include "chat/builtins.h"

namespace quire::jinja {

std::span<const Builtin> string_methods();
std::span<const Builtin> array_methods();
std::span<const Builtin> object_methods();
std::span<const Builtin> text_filters();
std::span<const Builtin> value_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> selection_filters();
std::span<const Builtin> functions();
std::span<const Predicate> predicates();

}  // namespace quire::jinja
