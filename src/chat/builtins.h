// What a template can use without defining it: filters (value|name), tests (value is name), functions
// (name(...)), and methods of values (value.name(...)). Behaviour as in Jinja 3.1 with the settings of chat
// templates.
#pragma once

#include <string_view>

#include "base/error.h"
#include "chat/rendering.h"
#include "chat/template_object.h"

namespace quire::jinja {

// One row of a table. `self` is what a filter or method is applied to; undefined for a function.
struct Builtin {
  std::string_view name;
  std::string_view parameters;  // as in Arguments::bind
  size_t required = 0;
  Expected<Value> (*run)(Rendering&, const Value& self, const Arguments&) = nullptr;
};

struct Predicate {
  std::string_view name;
  std::string_view parameters;
  size_t required = 0;
  Expected<bool> (*run)(Rendering&, const Value& self, const Arguments&) = nullptr;
};

// Null when there is none of that name.
const Builtin* find_filter(std::string_view name);
const Builtin* find_function(std::string_view name);
const Predicate* find_test(std::string_view name);

// The method `name` of values like `self`. `refused` is set for those that would change the value.
const Builtin* find_method(const Value& self, std::string_view name, bool& refused);

Expected<Value> call_builtin(Rendering& rendering, const Builtin& builtin, const Value& self,
                             Arguments arguments);
Expected<bool> call_test(Rendering& rendering, const Predicate& test, const Value& self,
                         Arguments arguments);

}  // namespace quire::jinja
