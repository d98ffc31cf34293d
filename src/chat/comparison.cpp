#include "chat/comparison.h"

#include <algorithm>

#include "chat/characters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

// Exact: a long double holds every int64_t and every double.
std::partial_ordering order(const Number& a, const Number& b) {
  const auto exact = [](const Number& n) -> long double {
    return n.is_integer ? static_cast<long double>(n.integer) : n.number;
  };
  return exact(a) <=> exact(b);
}

Expected<bool> equal_arrays(Rendering& rendering, const Value& a, const Value& b) {
  if (a.array_kind() != b.array_kind() || a.items().size() != b.items().size()) return false;
  for (size_t i = 0; i < a.items().size(); ++i) {
    auto equal = are_equal(rendering, a.items()[i], b.items()[i]);
    if (!equal || !*equal) return equal;
  }
  return true;
}

Expected<bool> equal_objects(Rendering& rendering, const Value& a, const Value& b) {
  if (a.members().size() != b.members().size()) return false;
  for (const auto& [key, value] : a.members()) {
    const Value* other = b.find(key);
    if (other == nullptr) return false;
    auto equal = are_equal(rendering, value, *other);
    if (!equal || !*equal) return equal;
  }
  return true;
}

}  // namespace

bool is_true(const Value& value) {
  switch (value.type()) {
    case Value::Type::kUndefined:
    case Value::Type::kNull: return false;
    case Value::Type::kBoolean: return value.as_boolean();
    case Value::Type::kInteger: return value.as_integer() != 0;
    case Value::Type::kNumber: return value.as_number() != 0;
    case Value::Type::kString: return !value.as_text().empty();
    case Value::Type::kArray:
      return value.array_kind() == Value::ArrayKind::kGenerator || !value.items().empty();
    case Value::Type::kObject: return !value.members().empty();
    case Value::Type::kTemplateObject: return true;
  }
  return false;
}

std::optional<Number> as_numeric(const Value& value) {
  if (value.is_boolean()) return Number{true, value.as_boolean(), static_cast<double>(value.as_boolean())};
  if (value.is_integer()) return Number{true, value.as_integer(), static_cast<double>(value.as_integer())};
  if (value.is_number()) return Number{false, 0, value.as_number()};
  return std::nullopt;
}

Expected<bool> are_equal(Rendering& rendering, const Value& a, const Value& b) {
  if (!rendering.spend(1)) return rendering.exhausted();
  if (const auto left = as_numeric(a), right = as_numeric(b); left && right)
    return order(*left, *right) == 0;
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Value::Type::kUndefined:
    case Value::Type::kNull: return true;
    case Value::Type::kString:
      if (a.as_text().size() != b.as_text().size()) return false;
      if (!rendering.spend_bytes(a.as_text().size())) return rendering.exhausted();
      return a.as_bytes() == b.as_bytes();
    case Value::Type::kArray: return equal_arrays(rendering, a, b);
    case Value::Type::kObject: return equal_objects(rendering, a, b);
    case Value::Type::kTemplateObject: return &a.as_template_object() == &b.as_template_object();
    default: return false;
  }
}

Expected<std::partial_ordering> compare(Rendering& rendering, const Value& a, const Value& b) {
  if (!rendering.spend(1)) return rendering.exhausted();
  if (const auto left = as_numeric(a), right = as_numeric(b); left && right) return order(*left, *right);
  if (a.is_string() && b.is_string()) {
    if (!rendering.spend_bytes(std::min(a.as_text().size(), b.as_text().size())))
      return rendering.exhausted();
    return a.as_bytes() <=> b.as_bytes();  // bytes of UTF-8 are ordered as its code points are
  }
  if (a.is_array() && b.is_array() && a.array_kind() == b.array_kind()) {
    const size_t common = std::min(a.items().size(), b.items().size());
    for (size_t i = 0; i < common; ++i) {
      auto equal = are_equal(rendering, a.items()[i], b.items()[i]);
      if (!equal) return pass(equal);
      if (!*equal) return compare(rendering, a.items()[i], b.items()[i]);
    }
    return a.items().size() <=> b.items().size();
  }
  return fail(ErrorCode::kInvalidArgument, "values of types {} and {} have no order", type_name(a),
              type_name(b));
}

Expected<bool> contains(Rendering& rendering, const Value& container, const Value& item) {
  if (container.is_undefined()) return false;
  if (container.is_string()) {
    if (!item.is_string()) {
      return fail(ErrorCode::kInvalidArgument, "'in' a string needs a string, not {}", type_name(item));
    }
    if (!rendering.spend_bytes(container.as_text().size())) return rendering.exhausted();
    if (item.as_text().empty()) return true;
    return find_bytes(container.as_bytes(), item.as_bytes(), 0) != std::string_view::npos;
  }
  if (container.is_object()) {
    if (item.is_array() || item.is_object()) {
      return fail(ErrorCode::kInvalidArgument, "a {} is never a key", type_name(item));
    }
    return container.find(item) != nullptr;
  }
  if (container.is_array()) {
    for (const Value& candidate : container.items()) {
      auto equal = are_equal(rendering, candidate, item);
      if (!equal || *equal) return equal;
    }
    return false;
  }
  return fail(ErrorCode::kInvalidArgument, "'in' needs a container, not {}", type_name(container));
}

Expected<bool> holds(Rendering& rendering, Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::kEqual: return are_equal(rendering, a, b);
    case Operator::kIn: return contains(rendering, b, a);
    case Operator::kNotEqual: {
      auto equal = are_equal(rendering, a, b);
      return equal ? Expected<bool>(!*equal) : equal;
    }
    case Operator::kNotIn: {
      auto inside = contains(rendering, b, a);
      return inside ? Expected<bool>(!*inside) : inside;
    }
    default: break;
  }
  auto ordering = compare(rendering, a, b);
  if (!ordering) return pass(ordering);
  switch (op) {
    case Operator::kLess: return *ordering < 0;
    case Operator::kLessEqual: return *ordering <= 0;
    case Operator::kGreater: return *ordering > 0;
    default: return *ordering >= 0;
  }
}

}  // namespace quire::jinja
