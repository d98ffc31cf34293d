// Operations on marked text that methods and filters share. Each pays for what it reads and writes.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "chat/marked_text.h"
#include "chat/rendering.h"

namespace quire::jinja {

Expected<Value> upper(Rendering& rendering, const MarkedText& text);
Expected<Value> lower(Rendering& rendering, const MarkedText& text);
// The first character in upper case, the rest in lower.
Expected<Value> capitalize(Rendering& rendering, const MarkedText& text);

// `count` < 0 replaces all. An empty `old` is found before each character and at the end.
Expected<Value> replace(Rendering& rendering, const MarkedText& text, const MarkedText& old,
                        const MarkedText& replacement, int64_t count);

// The pieces between separators, at most `max_splits` + 1 of them (< 0: any number), as Python's split and
// rsplit. A null separator means runs of white space, with none at the ends.
Expected<Value> split(Rendering& rendering, const MarkedText& text, const MarkedText* separator,
                      int64_t max_splits);
Expected<Value> split_from_right(Rendering& rendering, const MarkedText& text, const MarkedText* separator,
                                 int64_t max_splits);
Expected<Value> split_lines(Rendering& rendering, const MarkedText& text, bool keep_ends);

// The strings of `items` with `separator` between; with `convert`, str() of any value.
Expected<Value> join(Rendering& rendering, const MarkedText& separator, std::span<const Value> items,
                     bool convert);

// `width` counts characters; the spaces (or `fill`) go to the sides that are asked for.
enum class Align { kLeft, kRight, kCenter };
Expected<Value> pad(Rendering& rendering, const MarkedText& text, int64_t width, Align align,
                    const MarkedText& fill);

}  // namespace quire::jinja
