// The part of ExpressionParser that reads what follows a value (calls, subscripts, filters, tests), and
// targets.
#include <utility>

#include "chat/builtins.h"
#include "chat/expression_parser.h"
#include "chat/rendering.h"

namespace quire::jinja {
namespace {

bool starts_test_argument(const TokenCursor& cursor) {
  switch (cursor.current().kind) {
    case TokenKind::kName:
      return !cursor.is_name("else") && !cursor.is_name("or") && !cursor.is_name("and");
    case TokenKind::kString:
    case TokenKind::kInteger:
    case TokenKind::kFloat: return true;
    case TokenKind::kOperator:
      return cursor.is_operator("(") || cursor.is_operator("[") || cursor.is_operator("{");
    default: return false;
  }
}

}  // namespace

Expected<ExpressionPointer> ExpressionParser::parse_postfix(ExpressionPointer node) {
  Result result = std::move(node);
  while (result) {
    if (cursor_.is_operator(".") || cursor_.is_operator("[")) {
      result = parse_subscript(*std::move(result));
    } else if (cursor_.is_operator("(")) {
      result = parse_call(*std::move(result));
    } else {
      break;
    }
  }
  return result;
}

Expected<ExpressionPointer> ExpressionParser::parse_filters_and_tests(ExpressionPointer node) {
  Result result = std::move(node);
  while (result) {
    if (cursor_.take_operator("|")) {
      result = parse_filter(*std::move(result));
    } else if (cursor_.is_name("is")) {
      result = parse_test(*std::move(result));
    } else if (cursor_.is_operator("(")) {
      result = parse_call(*std::move(result));
    } else {
      break;
    }
  }
  return result;
}

Expected<ExpressionPointer> ExpressionParser::parse_subscript(ExpressionPointer object) {
  const Position at = cursor_.at();
  if (cursor_.take_operator(".")) {
    if (cursor_.is(TokenKind::kInteger)) {
      auto index = parse_constant();
      if (!index) return index;
      return make(at, Subscript{std::move(object), *std::move(index)});
    }
    auto name = cursor_.expect_any_name();
    if (!name) return pass(name);
    return make(at, Attribute{std::move(object), Value::string(*std::move(name))});
  }
  cursor_.advance();
  ExpressionPointer parts[3];  // begin, end, step, or the index alone
  size_t colons = 0;
  while (!cursor_.is_operator("]")) {
    if (cursor_.is_operator(":") && colons < 2) {
      cursor_.advance();
      ++colons;
      continue;
    }
    if (parts[colons]) return cursor_.expected("']'");
    auto part = parse();
    if (!part) return part;
    parts[colons] = *std::move(part);
  }
  if (colons == 0 && !parts[0]) return cursor_.expected("an index");
  cursor_.advance();
  if (colons == 0) return make(at, Subscript{std::move(object), std::move(parts[0])});
  return make(at, Slice{std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
}

Expected<ExpressionPointer> ExpressionParser::parse_call(ExpressionPointer callee) {
  const Position at = cursor_.at();
  auto arguments = parse_arguments();
  if (!arguments) return pass(arguments);
  return make(at, Call{std::move(callee), *std::move(arguments)});
}

Expected<ArgumentList> ExpressionParser::parse_arguments() {
  ArgumentList arguments;
  cursor_.advance();
  while (!cursor_.take_operator(")")) {
    if (!arguments.empty()) {
      if (auto ok = cursor_.expect_operator(","); !ok) return pass(ok);
      if (cursor_.take_operator(")")) break;
    }
    auto argument = parse_argument();
    if (!argument) return pass(argument);
    using Kind = ArgumentExpression::Kind;
    const auto is_named = [](Kind kind) { return kind == Kind::kNamed || kind == Kind::kSpreadObject; };
    if (!arguments.empty() && is_named(arguments.back().kind) && !is_named(argument->kind)) {
      return cursor_.error(argument->value->at, "an argument without a name follows one with a name");
    }
    arguments.push_back(*std::move(argument));
  }
  return arguments;
}

Expected<ArgumentExpression> ExpressionParser::parse_argument() {
  ArgumentExpression argument;
  const Token& next = cursor_.next_token();
  if (cursor_.take_operator("*")) {
    argument.kind = ArgumentExpression::Kind::kSpreadArray;
  } else if (cursor_.take_operator("**")) {
    argument.kind = ArgumentExpression::Kind::kSpreadObject;
  } else if (cursor_.is(TokenKind::kName) && next.kind == TokenKind::kOperator && next.text == "=") {
    argument.kind = ArgumentExpression::Kind::kNamed;
    argument.name = cursor_.current().text;
    cursor_.advance();
    cursor_.advance();
  }
  auto value = parse();
  if (!value) return pass(value);
  argument.value = *std::move(value);
  return argument;
}

Expected<ExpressionPointer> ExpressionParser::parse_filter(ExpressionPointer input) {
  const Position at = cursor_.at();
  auto name = cursor_.expect_any_name();
  if (!name) return pass(name);
  Filter node{std::move(input), *std::move(name), nullptr, {}};
  node.builtin = find_filter(node.name);
  if (cursor_.is_operator("(")) {
    auto arguments = parse_arguments();
    if (!arguments) return pass(arguments);
    node.arguments = *std::move(arguments);
  }
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_block_filters() {
  Result result = parse_filter(nullptr);
  while (result && cursor_.take_operator("|")) result = parse_filter(*std::move(result));
  return result;
}

Expected<ExpressionPointer> ExpressionParser::parse_test(ExpressionPointer input) {
  const Position at = cursor_.at();
  cursor_.advance();
  const bool negated = cursor_.take_name("not");
  auto name = cursor_.expect_any_name();
  if (!name) return pass(name);
  Test node{std::move(input), *std::move(name), nullptr, {}};
  node.predicate = find_test(node.name);
  if (cursor_.is_operator("(")) {
    auto arguments = parse_arguments();
    if (!arguments) return pass(arguments);
    node.arguments = *std::move(arguments);
  } else if (starts_test_argument(cursor_)) {
    if (cursor_.is_name("is")) return cursor_.error(cursor_.at(), "tests cannot be chained with 'is'");
    auto argument = parse_primary();
    if (argument) argument = parse_postfix(*std::move(argument));
    if (!argument) return argument;
    node.arguments.push_back({ArgumentExpression::Kind::kPositional, {}, *std::move(argument)});
  }
  auto test = make(at, std::move(node));
  if (!test || !negated) return test;
  return make(at, Unary{Unary::Kind::kNot, *std::move(test)});
}

Expected<Target> ExpressionParser::parse_one_target(bool with_namespace) {
  const TokenCursor::Level level(cursor_);
  if (!level.ok()) return cursor_.too_deep();
  Target target;
  target.at = cursor_.at();
  if (cursor_.take_operator("(")) {
    auto inner = parse_target(with_namespace, {});
    if (!inner) return inner;
    if (auto ok = cursor_.expect_operator(")"); !ok) return pass(ok);
    return inner;
  }
  auto name = cursor_.expect_any_name();
  if (!name) return pass(name);
  for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"}) {
    if (*name == constant) return cursor_.error(target.at, "cannot assign to '{}'", constant);
  }
  target.name = *std::move(name);
  if (with_namespace && cursor_.take_operator(".")) {
    auto attribute = cursor_.expect_any_name();
    if (!attribute) return pass(attribute);
    target.attribute = *std::move(attribute);
  }
  return target;
}

Expected<Target> ExpressionParser::parse_target(bool with_namespace, std::string_view stop) {
  auto first = parse_one_target(with_namespace);
  if (!first || !cursor_.is_operator(",")) return first;
  Target tuple;
  tuple.at = first->at;
  tuple.parts.push_back(*std::move(first));
  while (cursor_.take_operator(",")) {
    if (cursor_.is_operator("=") || cursor_.is_operator(")") || (!stop.empty() && cursor_.is_name(stop)))
      break;
    auto part = parse_one_target(with_namespace);
    if (!part) return part;
    tuple.parts.push_back(*std::move(part));
  }
  return tuple;
}

}  // namespace quire::jinja
