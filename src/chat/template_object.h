// What a template makes beside plain values, and what it calls: namespaces, macros, loops, functions,
// methods bound to a value. Each lives as long as the rendering that made it, on that rendering's thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "chat/value.h"

namespace quire::jinja {

// The arguments of one call. A built-in names its parameters and then reads them by their order there.
class Arguments {
 public:
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // `parameters` are names with a space between, the first `required` of which must be given; "*" takes
  // anything.
  Expected<> bind(std::string_view callee, std::string_view parameters, size_t required);

  // After bind(): the argument for parameter `index`, null when it was not given.
  const Value* operator[](size_t index) const;

  const Value* find_named(std::string_view name) const;

 private:
  std::vector<const Value*> bound_;
};

}  // namespace quire::jinja

namespace quire {

class TemplateObject {
 public:
  virtual ~TemplateObject() = default;

  // What messages call it, and what it prints as.
  virtual std::string_view description() const = 0;

  // Undefined when there is no such attribute.
  virtual Expected<Value> attribute(std::string_view name);
  virtual Expected<> set_attribute(std::string_view name, Value value);

  virtual bool is_callable() const { return false; }
  virtual Expected<Value> call(jinja::Arguments arguments);
};

}  // namespace quire
