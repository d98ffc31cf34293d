// The tests: value is name(arguments).
#include <cmath>

#include "chat/access.h"
#include "chat/builtin_tables.h"
#include "chat/characters.h"
#include "chat/comparison.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

using Result = Expected<bool>;
using Type = Value::Type;

template <Type type>
Result is_type(Rendering&, const Value& self, const Arguments&) {
  return self.type() == type;
}

Result is_defined(Rendering&, const Value& self, const Arguments&) { return !self.is_undefined(); }

template <bool wanted>
Result is_boolean(Rendering&, const Value& self, const Arguments&) {
  return self.is_boolean() && self.as_boolean() == wanted;
}

Result is_any_number(Rendering&, const Value& self, const Arguments&) {
  return as_numeric(self).has_value();
}

bool is_indexed(const Value& value) {
  return value.is_array() &&
         (value.array_kind() == Value::ArrayKind::kList || value.array_kind() == Value::ArrayKind::kTuple);
}

// Python asks for a length and an item lookup; Jinja's undefined has both.
Result is_sequence(Rendering&, const Value& self, const Arguments&) {
  return self.is_string() || self.is_object() || self.is_undefined() || is_indexed(self);
}

Result is_iterable(Rendering&, const Value& self, const Arguments&) {
  return self.is_string() || self.is_object() || self.is_undefined() || self.is_array();
}

Result is_callable(Rendering&, const Value& self, const Arguments&) {
  // Undefined has a call of its own, which fails.
  return self.is_undefined() || (self.is_template_object() && self.as_template_object().is_callable());
}

Result is_same(Rendering& rendering, const Value& self, const Arguments& arguments) {
  // Without identities of their own, plain values are the same when they are equal and of one type.
  if (self.type() != arguments[0]->type()) return false;
  return are_equal(rendering, self, *arguments[0]);
}

// value modulo divisor == rest
Result leaves_rest(const Value& value, const Value& divisor, int64_t rest) {
  const auto left = as_numeric(value), right = as_numeric(divisor);
  if (!left || !right)
    return fail(ErrorCode::kInvalidArgument, "a test of {} needs numbers", type_name(value));
  if (right->number == 0) return fail(ErrorCode::kInvalidArgument, "division by zero");
  if (left->is_integer && right->is_integer) {
    if (right->integer == -1) return rest == 0;
    const int64_t modulo = left->integer % right->integer;
    return modulo == rest || (modulo != 0 && modulo + right->integer == rest);
  }
  const double modulo = std::fmod(left->number, right->number);
  const auto wanted = static_cast<double>(rest);
  return modulo == wanted || (modulo != 0 && modulo + right->number == wanted);
}

Result is_divisible(Rendering&, const Value& self, const Arguments& arguments) {
  return leaves_rest(self, *arguments[0], 0);
}
Result is_even(Rendering&, const Value& self, const Arguments&) {
  return leaves_rest(self, Value::integer(2), 0);
}
Result is_odd(Rendering&, const Value& self, const Arguments&) {
  return leaves_rest(self, Value::integer(2), 1);
}

template <bool want_upper>
Result is_case(Rendering& rendering, const Value& self, const Arguments&) {
  const auto text = to_str(rendering, self);
  if (!text) return std::unexpected(text.error());
  if (!rendering.spend_bytes(text->as_text().size())) return rendering.exhausted();
  return has_case(text->as_bytes(), want_upper);
}

template <Operator op>
Result is_related(Rendering& rendering, const Value& self, const Arguments& arguments) {
  return holds(rendering, op, self, *arguments[0]);
}

Result is_filter_name(Rendering&, const Value& self, const Arguments&) {
  return self.is_string() && find_filter(self.as_bytes()) != nullptr;
}

Result is_test_name(Rendering&, const Value& self, const Arguments&) {
  return self.is_string() && find_test(self.as_bytes()) != nullptr;
}

// No text here is marked as escaped.
Result is_escaped(Rendering&, const Value&, const Arguments&) { return false; }

constexpr Predicate kPredicates[] = {
    {"boolean", "", 0, is_type<Type::kBoolean>},
    {"callable", "", 0, is_callable},
    {"defined", "", 0, is_defined},
    {"divisibleby", "num", 1, is_divisible},
    {"eq", "other", 1, is_related<Operator::kEqual>},
    {"equalto", "other", 1, is_related<Operator::kEqual>},
    {"==", "other", 1, is_related<Operator::kEqual>},
    {"escaped", "", 0, is_escaped},
    {"even", "", 0, is_even},
    {"false", "", 0, is_boolean<false>},
    {"filter", "", 0, is_filter_name},
    {"float", "", 0, is_type<Type::kNumber>},
    {"ge", "other", 1, is_related<Operator::kGreaterEqual>},
    {">=", "other", 1, is_related<Operator::kGreaterEqual>},
    {"greaterthan", "other", 1, is_related<Operator::kGreater>},
    {"gt", "other", 1, is_related<Operator::kGreater>},
    {">", "other", 1, is_related<Operator::kGreater>},
    {"in", "seq", 1, is_related<Operator::kIn>},
    {"integer", "", 0, is_type<Type::kInteger>},
    {"iterable", "", 0, is_iterable},
    {"le", "other", 1, is_related<Operator::kLessEqual>},
    {"<=", "other", 1, is_related<Operator::kLessEqual>},
    {"lessthan", "other", 1, is_related<Operator::kLess>},
    {"lower", "", 0, is_case<false>},
    {"lt", "other", 1, is_related<Operator::kLess>},
    {"<", "other", 1, is_related<Operator::kLess>},
    {"mapping", "", 0, is_type<Type::kObject>},
    {"ne", "other", 1, is_related<Operator::kNotEqual>},
    {"!=", "other", 1, is_related<Operator::kNotEqual>},
    {"none", "", 0, is_type<Type::kNull>},
    {"number", "", 0, is_any_number},
    {"odd", "", 0, is_odd},
    {"sameas", "other", 1, is_same},
    {"sequence", "", 0, is_sequence},
    {"string", "", 0, is_type<Type::kString>},
    {"test", "", 0, is_test_name},
    {"true", "", 0, is_boolean<true>},
    {"undefined", "", 0, is_type<Type::kUndefined>},
    {"upper", "", 0, is_case<true>},
};

}  // namespace

std::span<const Predicate> predicates() { return kPredicates; }

}  // namespace quire::jinja
