// What sequences are sorted, grouped and selected by: an attribute of each item, and strings without their
// case.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "chat/rendering.h"
#include "chat/value.h"

namespace quire::jinja {

// A path into an item: "a.b.0", or an integer; parts that are numbers are indices.
class AttributePath {
 public:
  explicit AttributePath(const Value& path);
  Expected<Value> of(Rendering& rendering, const Value& item) const;

 private:
  std::vector<Value> parts_;
};

struct KeyRule {
  const Value* attribute = nullptr;  // null or none: the item itself; "a,b": both, as an array
  bool case_sensitive = false;
};

Expected<Value> key_of(Rendering& rendering, const Value& item, const KeyRule& rule);
Expected<std::vector<Value>> keys_of(Rendering& rendering, std::span<const Value> items,
                                     const KeyRule& rule);

// The order in which `keys` ascend (descend if `reverse`); equal ones stay as they were.
Expected<std::vector<size_t>> sorted_places(Rendering& rendering, std::span<const Value> keys,
                                            bool reverse);

}  // namespace quire::jinja
