#include "server/json/template_value.h"

namespace quire {
namespace {

Value user_text(std::string_view text) { return Value::user_text(std::string(text)); }

}  // namespace

Value template_value(JsonValue json) {
  using simdjson::dom::element_type;
  switch (json.type()) {
    case element_type::STRING: return user_text(json.get_string().value_unsafe());
    case element_type::BOOL: return Value::boolean(json.get_bool().value_unsafe());
    case element_type::INT64: return Value::integer(json.get_int64().value_unsafe());
    case element_type::UINT64: return Value::number(static_cast<double>(json.get_uint64().value_unsafe()));
    case element_type::DOUBLE: return Value::number(json.get_double().value_unsafe());
    case element_type::NULL_VALUE: return Value::null();
    case element_type::ARRAY: {
      Value array = Value::array();
      const JsonArray items = json.get_array().value_unsafe();  // lives through the loop
      for (const JsonValue item : items) array.push_back(template_value(item));
      return array;
    }
    case element_type::OBJECT: return template_value(json.get_object().value_unsafe());
  }
  return Value::null();
}

Value template_value(JsonObject json) {
  Value object = Value::object();
  for (const auto member : json) object.set(user_text(member.key), template_value(member.value));
  return object;
}

}  // namespace quire
