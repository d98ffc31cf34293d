// The part of Evaluator that computes expressions.
#include <utility>

#include "chat/access.h"
#include "chat/arithmetic.h"
#include "chat/comparison.h"
#include "chat/evaluator.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

// A function used as a value, not called where it is named.
class FunctionObject final : public TemplateObject {
 public:
  FunctionObject(Rendering& rendering, const Builtin& function)
      : rendering_(rendering), function_(function) {}
  std::string_view description() const override { return function_.name; }
  bool is_callable() const override { return true; }
  Expected<Value> call(Arguments arguments) override {
    return call_builtin(rendering_, function_, Value(), std::move(arguments));
  }

 private:
  Rendering& rendering_;
  const Builtin& function_;
};

constexpr std::string_view kLocationPrefix = "chat template, line ";

}  // namespace

Error Evaluator::located(Position at, Error error) const {
  if (rendering_.has_raised() || error.message.starts_with(kLocationPrefix)) return error;
  error.message = fmt::format("chat template, {}: {}", describe(at), error.message);
  return error;
}

Expected<Value> Evaluator::evaluate(const Expression& expression) {
  const Rendering::Frame frame(rendering_);
  if (!frame.ok()) return rendering_.too_deep();
  if (!rendering_.spend(1)) return rendering_.exhausted();
  auto value = std::visit([&](const auto& node) { return evaluate(node, expression.at); }, expression.node);
  if (value && value->depth() > kMaxValueDepth) return located<Value>(expression.at, rendering_.too_deep());
  return value;
}

Expected<Value> Evaluator::evaluate_optional(const ExpressionPointer& expression) {
  if (!expression) return Value::null();
  return evaluate(*expression);
}

const Value* Evaluator::find_variable(std::string_view name) {
  size_t scanned = 0;
  const Value* found = scope_->find(name, scanned);
  rendering_.spend(scanned / 16);  // an overrun shows at the next step
  return found != nullptr ? found : context_.find(name);
}

Expected<Value> Evaluator::evaluate(const Name& node, Position) {
  if (const Value* found = find_variable(node.name)) return *found;
  if (const Builtin* function = find_function(node.name))
    return rendering_.make<FunctionObject>(rendering_, *function);
  return Value::undefined(node.name);
}

Expected<Value> Evaluator::evaluate(const ArrayLiteral& node, Position) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const auto& expression : node.items) {
    auto item = evaluate(*expression);
    if (!item) return item;
    items.push_back(*std::move(item));
  }
  return Value::array(std::move(items), node.is_tuple ? Value::ArrayKind::kTuple : Value::ArrayKind::kList);
}

Expected<Value> Evaluator::evaluate(const ObjectLiteral& node, Position at) {
  Value object = Value::object();
  for (const auto& [key_expression, value_expression] : node.members) {
    auto key = evaluate(*key_expression);
    if (!key) return key;
    if (key->is_array() || key->is_object()) {
      return located<Value>(at, fail(ErrorCode::kInvalidArgument, "a {} cannot be a key", type_name(*key)));
    }
    auto value = evaluate(*value_expression);
    if (!value) return value;
    object.set(*std::move(key), *std::move(value));
  }
  return object;
}

Expected<Value> Evaluator::evaluate(const Attribute& node, Position at) {
  const auto object = evaluate(*node.object);
  if (!object) return object;
  return located(at, attribute_of(rendering_, *object, node.name));
}

Expected<Value> Evaluator::evaluate(const Subscript& node, Position at) {
  const auto object = evaluate(*node.object);
  if (!object) return object;
  const auto index = evaluate(*node.index);
  if (!index) return index;
  return located(at, item_of(rendering_, *object, *index));
}

Expected<Value> Evaluator::evaluate(const Slice& node, Position at) {
  const auto object = evaluate(*node.object);
  if (!object) return object;
  const auto begin = evaluate_optional(node.begin);
  if (!begin) return begin;
  const auto end = evaluate_optional(node.end);
  if (!end) return end;
  const auto step = evaluate_optional(node.step);
  if (!step) return step;
  return located(at, slice_of(rendering_, *object, *begin, *end, *step));
}

Expected<> Evaluator::spread(const ArgumentExpression& expression, Value value, Position at,
                             Arguments& arguments) {
  if (expression.kind == ArgumentExpression::Kind::kSpreadArray) {
    const auto items = items_of(rendering_, value);
    if (!items) return std::unexpected(located(at, items.error()));
    if (!rendering_.spend_items(items->items().size())) return rendering_.exhausted();
    arguments.positional.insert(arguments.positional.end(), items->items().begin(), items->items().end());
    return {};
  }
  if (!value.is_object()) {
    return located<void>(at,
                         fail(ErrorCode::kInvalidArgument, "'**' needs a dict, not {}", type_name(value)));
  }
  for (const auto& [key, member] : value.members()) {
    if (!rendering_.spend(1)) return rendering_.exhausted();
    if (!key.is_string())
      return located<void>(at, fail(ErrorCode::kInvalidArgument, "'**' needs names as keys"));
    arguments.named.emplace_back(key.as_bytes(), member);
  }
  return {};
}

Expected<Arguments> Evaluator::evaluate_arguments(const ArgumentList& list, Position at) {
  Arguments arguments;
  for (const ArgumentExpression& expression : list) {
    auto value = evaluate(*expression.value);
    if (!value) return pass(value);
    switch (expression.kind) {
      case ArgumentExpression::Kind::kPositional: arguments.positional.push_back(*std::move(value)); break;
      case ArgumentExpression::Kind::kNamed:
        arguments.named.emplace_back(expression.name, *std::move(value));
        break;
      case ArgumentExpression::Kind::kSpreadArray:
      case ArgumentExpression::Kind::kSpreadObject:
        if (auto ok = spread(expression, *std::move(value), at, arguments); !ok) return pass(ok);
    }
  }
  return arguments;
}

Expected<Value> Evaluator::evaluate(const Call& node, Position at) { return call(node, at, {}); }

// `first` are arguments given beside those in the source, by name: a call block's caller.
Expected<Value> Evaluator::call(const Call& node, Position at, Arguments first) {
  const auto with_arguments = [&](auto&& invoke) -> Expected<Value> {
    auto arguments = evaluate_arguments(node.arguments, at);
    if (!arguments) return pass(arguments);
    for (auto& named : first.named) arguments->named.push_back(std::move(named));
    return located<Value>(at, invoke(*std::move(arguments)));
  };
  // Functions and methods are called without being made into values first.
  if (const auto* name = std::get_if<Name>(&node.callee->node); name != nullptr) {
    const Builtin* function = find_function(name->name);
    if (function != nullptr && find_variable(name->name) == nullptr) {
      return with_arguments([&](Arguments arguments) {
        return call_builtin(rendering_, *function, Value(), std::move(arguments));
      });
    }
  }
  Expected<Value> callee = Value();
  if (const auto* attribute = std::get_if<Attribute>(&node.callee->node); attribute != nullptr) {
    const auto object = evaluate(*attribute->object);
    if (!object) return object;
    bool refused = false;
    if (const Builtin* method = find_method(*object, attribute->name.as_bytes(), refused)) {
      return with_arguments([&](Arguments arguments) {
        return call_builtin(rendering_, *method, *object, std::move(arguments));
      });
    }
    callee = located(at, attribute_of(rendering_, *object, attribute->name));
  } else {
    callee = evaluate(*node.callee);
  }
  if (!callee) return callee;
  if (callee->is_undefined()) {
    return located<Value>(at,
                          fail(ErrorCode::kInvalidArgument, "'{}' is undefined", callee->undefined_name()));
  }
  if (!callee->is_template_object()) {
    return located<Value>(at,
                          fail(ErrorCode::kInvalidArgument, "a {} cannot be called", type_name(*callee)));
  }
  return with_arguments(
      [&](Arguments arguments) { return callee->as_template_object().call(std::move(arguments)); });
}

Expected<Value> Evaluator::evaluate(const Filter& node, Position at) {
  auto input = node.input ? evaluate(*node.input) : Expected<Value>(block_text_);
  if (!input) return input;
  if (node.builtin == nullptr) {
    return located<Value>(at,
                          fail(ErrorCode::kUnsupported, "no filter named '{}'", node.name.substr(0, 80)));
  }
  auto arguments = evaluate_arguments(node.arguments, at);
  if (!arguments) return pass(arguments);
  return located(at, call_builtin(rendering_, *node.builtin, *input, *std::move(arguments)));
}

Expected<Value> Evaluator::apply_filters(const Expression& filters, Value text) {
  std::swap(block_text_, text);
  auto value = evaluate(filters);
  std::swap(block_text_, text);
  return value;
}

Expected<Value> Evaluator::evaluate(const Test& node, Position at) {
  const auto input = evaluate(*node.input);
  if (!input) return input;
  if (node.predicate == nullptr) {
    return located<Value>(at, fail(ErrorCode::kUnsupported, "no test named '{}'", node.name.substr(0, 80)));
  }
  auto arguments = evaluate_arguments(node.arguments, at);
  if (!arguments) return pass(arguments);
  const auto holds = located(at, call_test(rendering_, *node.predicate, *input, *std::move(arguments)));
  if (!holds) return std::unexpected(holds.error());
  return Value::boolean(*holds);
}

Expected<Value> Evaluator::evaluate(const Arithmetic& node, Position at) {
  auto left = evaluate(*node.first);
  for (const auto& [op, operand] : node.rest) {
    if (!left) return left;
    const auto right = evaluate(*operand);
    if (!right) return right;
    left = located(at, apply_operator(rendering_, op, *left, *right));
  }
  return left;
}

Expected<Value> Evaluator::evaluate(const Comparison& node, Position at) {
  auto left = evaluate(*node.first);
  for (const auto& [op, operand] : node.rest) {
    if (!left) return left;
    auto right = evaluate(*operand);
    if (!right) return right;
    const auto result = located(at, holds(rendering_, op, *left, *right));
    if (!result) return std::unexpected(result.error());
    if (!*result) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Expected<Value> Evaluator::evaluate(const Concatenation& node, Position at) {
  MarkedText out;
  for (const auto& part : node.parts) {
    const auto value = evaluate(*part);
    if (!value) return value;
    if (auto ok = append_str(rendering_, *value, out); !ok) return std::unexpected(located(at, ok.error()));
  }
  return Value::text(std::move(out));
}

Expected<Value> Evaluator::evaluate(const Logical& node, Position) {
  Expected<Value> value = Value();
  for (const auto& part : node.parts) {
    value = evaluate(*part);
    if (!value || is_true(*value) != node.is_and) break;
  }
  return value;
}

Expected<Value> Evaluator::evaluate(const Unary& node, Position at) {
  const auto operand = evaluate(*node.operand);
  if (!operand) return operand;
  if (node.kind == Unary::Kind::kNot) return Value::boolean(!is_true(*operand));
  if (node.kind == Unary::Kind::kNegate) return located(at, negate(*operand));
  return located(at, apply_operator(rendering_, Operator::kAdd, Value::integer(0), *operand));
}

Expected<Value> Evaluator::evaluate(const Conditional& node, Position) {
  const auto condition = evaluate(*node.condition);
  if (!condition) return condition;
  if (is_true(*condition)) return evaluate(*node.yes);
  if (node.no) return evaluate(*node.no);
  return Value::undefined("the 'if' without an 'else'");
}

}  // namespace quire::jinja
