// Reaching into values: attributes, items, slices, iteration; with the names that Jinja's immutable sandbox
// refuses.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "chat/builtins.h"
#include "chat/rendering.h"
#include "chat/value.h"

namespace quire::jinja {

// object.name: a method, else a member. Undefined when there is neither.
Expected<Value> attribute_of(Rendering& rendering, const Value& object, const Value& name);

// object[key]: an item or member, else a method. Undefined when there is neither.
Expected<Value> item_of(Rendering& rendering, const Value& object, const Value& key);

// object[begin:end:step]; a null value is one that was left out.
Expected<Value> slice_of(Rendering& rendering, const Value& object, const Value& begin, const Value& end,
                         const Value& step);

// What `for` goes through: an array, a string's characters, an object's keys; nothing for undefined.
Expected<Value> items_of(Rendering& rendering, const Value& value);

// Python's len(); an error for what has none.
Expected<int64_t> length_of(Rendering& rendering, const Value& value);

// The characters of a text, each a string.
Expected<Value> characters_of(Rendering& rendering, const MarkedText& text);

// An object's members as (key, value) tuples.
Expected<Value> pairs_of(Rendering& rendering, const Value& object, Value::ArrayKind kind);

// An integer or boolean, as Python takes it for an index.
std::optional<int64_t> as_index(const Value& value);

}  // namespace quire::jinja
