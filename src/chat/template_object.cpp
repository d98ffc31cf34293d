#include "chat/template_object.h"

#include <algorithm>

namespace quire {
namespace jinja {

Expected<> Arguments::bind(std::string_view callee, std::string_view parameters, size_t required) {
  bound_.clear();
  if (parameters == "*") return {};
  for (const Value& value : positional) bound_.push_back(&value);
  size_t used = 0, index = 0;
  for (size_t at = 0; at < parameters.size(); ++index) {
    const size_t end = std::min(parameters.find(' ', at), parameters.size());
    const std::string_view name = parameters.substr(at, end - at);
    at = end + 1;
    const Value* value = find_named(name);
    used += value != nullptr;
    if (index >= bound_.size()) {
      bound_.push_back(value);
    } else if (value != nullptr) {
      return fail(ErrorCode::kInvalidArgument, "{}() got two values for '{}'", callee, name);
    }
    if (index < required && bound_[index] == nullptr) {
      return fail(ErrorCode::kInvalidArgument, "{}() needs '{}'", callee, name);
    }
  }
  if (bound_.size() > index) {
    return fail(ErrorCode::kInvalidArgument, "{}() takes {} arguments at most", callee, index);
  }
  if (used < named.size()) {
    return fail(ErrorCode::kInvalidArgument, "{}() has no such named argument, or got it twice", callee);
  }
  return {};
}

const Value* Arguments::operator[](size_t index) const {
  return index < bound_.size() ? bound_[index] : nullptr;
}

const Value* Arguments::find_named(std::string_view name) const {
  for (const auto& [given, value] : named) {
    if (given == name) return &value;
  }
  return nullptr;
}

}  // namespace jinja

Expected<Value> TemplateObject::attribute(std::string_view name) {
  return Value::undefined(fmt::format("{}.{}", description(), name));
}

Expected<> TemplateObject::set_attribute(std::string_view name, Value) {
  return fail(ErrorCode::kInvalidArgument, "cannot set '{}' on {}: only a namespace can be changed", name,
              description());
}

Expected<Value> TemplateObject::call(jinja::Arguments) {
  return fail(ErrorCode::kInvalidArgument, "{} is not callable", description());
}

}  // namespace quire
