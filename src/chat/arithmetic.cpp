#include "chat/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chat/comparison.h"
#include "chat/format_text.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

std::unexpected<Error> overflow() {
  return fail(ErrorCode::kInvalidArgument, "the result does not fit into a 64-bit integer");
}

std::unexpected<Error> division_by_zero() { return fail(ErrorCode::kInvalidArgument, "division by zero"); }

std::string_view spelling(Operator op) {
  switch (op) {
    case Operator::kAdd: return "+";
    case Operator::kSubtract: return "-";
    case Operator::kMultiply: return "*";
    case Operator::kDivide: return "/";
    case Operator::kFloorDivide: return "//";
    case Operator::kModulo: return "%";
    default: return "**";
  }
}

std::unexpected<Error> mismatch(Operator op, const Value& a, const Value& b) {
  for (const Value* value : {&a, &b}) {
    if (value->is_undefined()) {
      return fail(ErrorCode::kInvalidArgument, "'{}' is undefined", value->undefined_name());
    }
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' does not take {} and {}", spelling(op), type_name(a),
              type_name(b));
}

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

double floor_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

Expected<Value> integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (bool more = exponent > 0; more;) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return overflow();
    exponent >>= 1;
    more = exponent > 0;
    // The last square is not needed, and might not fit.
    if (more && __builtin_mul_overflow(base, base, &base)) return overflow();
  }
  return Value::integer(result);
}

Expected<Value> on_integers(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  const bool smallest_by_minus_one = a == std::numeric_limits<int64_t>::min() && b == -1;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return overflow();
      return Value::integer(result);
    case Operator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) return overflow();
      return Value::integer(result);
    case Operator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) return overflow();
      return Value::integer(result);
    case Operator::kDivide:
      if (b == 0) return division_by_zero();
      return Value::number(static_cast<double>(a) / static_cast<double>(b));
    case Operator::kFloorDivide:
      if (b == 0) return division_by_zero();
      if (smallest_by_minus_one) return overflow();
      return Value::integer(floor_divide(a, b));
    case Operator::kModulo:
      if (b == 0) return division_by_zero();
      return Value::integer(smallest_by_minus_one ? 0 : a - floor_divide(a, b) * b);
    default: break;
  }
  if (b >= 0) return integer_power(a, b);
  if (a == 0) return division_by_zero();
  return Value::number(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

Expected<Value> on_numbers(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd: return Value::number(a + b);
    case Operator::kSubtract: return Value::number(a - b);
    case Operator::kMultiply: return Value::number(a * b);
    case Operator::kDivide:
      if (b == 0) return division_by_zero();
      return Value::number(a / b);
    case Operator::kFloorDivide:
      if (b == 0) return division_by_zero();
      return Value::number(std::floor((a - floor_modulo(a, b)) / b + 0.5));
    case Operator::kModulo:
      if (b == 0) return division_by_zero();
      return Value::number(floor_modulo(a, b));
    default: break;
  }
  if (a == 0 && b < 0) return division_by_zero();
  const double power = std::pow(a, b);
  if (std::isnan(power) && !std::isnan(a) && !std::isnan(b)) {
    return fail(ErrorCode::kUnsupported, "this power is a complex number");
  }
  if (std::isinf(power) && std::isfinite(a) && std::isfinite(b)) {
    return fail(ErrorCode::kInvalidArgument, "the result is too large");
  }
  return Value::number(power);
}

Expected<Value> join_texts(Rendering& rendering, const MarkedText& a, const MarkedText& b) {
  if (!rendering.spend_bytes(a.size() + b.size())) return rendering.exhausted();
  MarkedText out = a;
  out.append(b);
  return Value::text(std::move(out));
}

Expected<Value> join_arrays(Rendering& rendering, const Value& a, const Value& b) {
  if (!rendering.spend_items(a.items().size() + b.items().size())) return rendering.exhausted();
  std::vector<Value> items(a.items().begin(), a.items().end());
  items.insert(items.end(), b.items().begin(), b.items().end());
  return Value::array(std::move(items), a.array_kind());
}

// `sequence` is a string, list or tuple; a count below 1 makes it empty.
Expected<Value> repeat(Rendering& rendering, const Value& sequence, int64_t count) {
  const size_t size = sequence.is_string() ? sequence.as_text().size() : sequence.items().size();
  const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
  size_t total = 0;
  if (__builtin_mul_overflow(size, times, &total)) total = std::numeric_limits<size_t>::max();
  if (sequence.is_string()) {
    if (!rendering.spend_bytes(total)) return rendering.exhausted();
    MarkedText out;
    for (size_t i = 0; i < times && size > 0; ++i) out.append(sequence.as_text());
    return Value::text(std::move(out));
  }
  if (!rendering.spend_items(total)) return rendering.exhausted();
  std::vector<Value> items;
  for (size_t i = 0; i < times && size > 0; ++i) {
    items.insert(items.end(), sequence.items().begin(), sequence.items().end());
  }
  return Value::array(std::move(items), sequence.array_kind());
}

bool is_plain_sequence(const Value& value) {
  return value.is_string() || value.is_array_of(Value::ArrayKind::kList) ||
         value.is_array_of(Value::ArrayKind::kTuple);
}

}  // namespace

Expected<Value> apply_operator(Rendering& rendering, Operator op, const Value& a, const Value& b) {
  const auto left = as_numeric(a), right = as_numeric(b);
  if (left && right) {
    if (left->is_integer && right->is_integer) return on_integers(op, left->integer, right->integer);
    return on_numbers(op, left->number, right->number);
  }
  if (op == Operator::kAdd) {
    if (a.is_string() && b.is_string()) return join_texts(rendering, a.as_text(), b.as_text());
    if (a.is_array() && b.is_array() && a.array_kind() == b.array_kind() && is_plain_sequence(a)) {
      return join_arrays(rendering, a, b);
    }
  }
  if (op == Operator::kMultiply) {
    if (is_plain_sequence(a) && right && right->is_integer) return repeat(rendering, a, right->integer);
    if (is_plain_sequence(b) && left && left->is_integer) return repeat(rendering, b, left->integer);
  }
  if (op == Operator::kModulo && a.is_string()) return format_percent(rendering, a.as_text(), b);
  return mismatch(op, a, b);
}

Expected<Value> negate(const Value& value) {
  const auto number = as_numeric(value);
  if (!number) return fail(ErrorCode::kInvalidArgument, "'-' does not take {}", type_name(value));
  if (!number->is_integer) return Value::number(-number->number);
  if (number->integer == std::numeric_limits<int64_t>::min()) return overflow();
  return Value::integer(-number->integer);
}

}  // namespace quire::jinja
