#include "chat/expression_parser.h"

#include <charconv>
#include <optional>

namespace quire::jinja {
namespace {

constexpr std::pair<std::string_view, Operator> kComparisons[] = {
    {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
    {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual},
};

std::optional<int64_t> to_integer(std::string_view digits) {
  int base = 10;
  if (digits.starts_with("0x")) base = 16;
  if (digits.starts_with("0o")) base = 8;
  if (digits.starts_with("0b")) base = 2;
  if (base != 10) digits.remove_prefix(2);
  int64_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

Expected<ExpressionPointer> ExpressionParser::make(Position at, Expression::Node node) {
  ExpressionPointer expression = make_expression(at, std::move(node));
  if (expression->height > cursor_.max_depth()) return cursor_.too_deep();
  return expression;
}

Expected<ExpressionPointer> ExpressionParser::parse(bool with_conditional) {
  const TokenCursor::Level level(cursor_);
  if (!level.ok()) return cursor_.too_deep();
  auto value = parse_or();
  while (value && with_conditional && cursor_.is_name("if")) {
    const Position at = cursor_.at();
    cursor_.advance();
    Conditional node;
    node.yes = *std::move(value);
    auto condition = parse_or();
    if (!condition) return condition;
    node.condition = *std::move(condition);
    if (cursor_.take_name("else")) {
      auto no = parse();
      if (!no) return no;
      node.no = *std::move(no);
    }
    value = make(at, std::move(node));
  }
  return value;
}

Expected<ExpressionPointer> ExpressionParser::parse_tuple(bool with_conditional, std::string_view stop) {
  const Position at = cursor_.at();
  ArrayLiteral tuple{{}, true};
  bool has_comma = false;
  while (true) {
    const bool ends = cursor_.is(TokenKind::kOutputEnd) || cursor_.is(TokenKind::kTagEnd) ||
                      cursor_.is_operator(")") || (!stop.empty() && cursor_.is_name(stop));
    if (ends && has_comma) break;
    auto item = parse(with_conditional);
    if (!item) return item;
    if (!has_comma && !cursor_.is_operator(",")) return item;
    tuple.items.push_back(*std::move(item));
    if (!cursor_.take_operator(",")) break;
    has_comma = true;
  }
  return make(at, std::move(tuple));
}

Expected<ExpressionPointer> ExpressionParser::parse_logical(Result (ExpressionParser::*next)(),
                                                            std::string_view word) {
  auto first = (this->*next)();
  if (!first || !cursor_.is_name(word)) return first;
  const Position at = cursor_.at();
  Logical node{word == "and", {}};
  node.parts.push_back(*std::move(first));
  while (cursor_.take_name(word)) {
    auto part = (this->*next)();
    if (!part) return part;
    node.parts.push_back(*std::move(part));
  }
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_or() {
  return parse_logical(&ExpressionParser::parse_and, "or");
}
Expected<ExpressionPointer> ExpressionParser::parse_and() {
  return parse_logical(&ExpressionParser::parse_not, "and");
}

Expected<ExpressionPointer> ExpressionParser::parse_not() {
  const Position at = cursor_.at();
  if (!cursor_.take_name("not")) return parse_comparison();
  const TokenCursor::Level level(cursor_);
  if (!level.ok()) return cursor_.too_deep();
  auto operand = parse_not();
  if (!operand) return operand;
  return make(at, Unary{Unary::Kind::kNot, *std::move(operand)});
}

Expected<ExpressionPointer> ExpressionParser::parse_comparison() {
  auto first = parse_sum();
  if (!first) return first;
  const Position at = cursor_.at();
  Comparison node;
  while (true) {
    std::optional<Operator> op;
    for (const auto& [text, candidate] : kComparisons) {
      if (cursor_.is_operator(text)) op = candidate;
    }
    if (cursor_.is_name("in")) op = Operator::kIn;
    const Token& next = cursor_.next_token();
    if (cursor_.is_name("not") && next.kind == TokenKind::kName && next.text == "in") {
      op = Operator::kNotIn;
      cursor_.advance();
    }
    if (!op) break;
    cursor_.advance();
    auto right = parse_sum();
    if (!right) return right;
    node.rest.emplace_back(*op, *std::move(right));
  }
  if (node.rest.empty()) return first;
  node.first = *std::move(first);
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_chain(
    Result (ExpressionParser::*next)(),
    std::initializer_list<std::pair<std::string_view, Operator>> operators) {
  auto first = (this->*next)();
  if (!first) return first;
  const Position at = cursor_.at();
  Arithmetic node;
  while (true) {
    std::optional<Operator> op;
    for (const auto& [text, candidate] : operators) {
      if (cursor_.is_operator(text)) op = candidate;
    }
    if (!op) break;
    cursor_.advance();
    auto right = (this->*next)();
    if (!right) return right;
    node.rest.emplace_back(*op, *std::move(right));
  }
  if (node.rest.empty()) return first;
  node.first = *std::move(first);
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_sum() {
  return parse_chain(&ExpressionParser::parse_concatenation,
                     {{"+", Operator::kAdd}, {"-", Operator::kSubtract}});
}

Expected<ExpressionPointer> ExpressionParser::parse_concatenation() {
  auto first = parse_product();
  if (!first || !cursor_.is_operator("~")) return first;
  const Position at = cursor_.at();
  Concatenation node;
  node.parts.push_back(*std::move(first));
  while (cursor_.take_operator("~")) {
    auto part = parse_product();
    if (!part) return part;
    node.parts.push_back(*std::move(part));
  }
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_product() {
  return parse_chain(&ExpressionParser::parse_power, {{"*", Operator::kMultiply},
                                                      {"/", Operator::kDivide},
                                                      {"//", Operator::kFloorDivide},
                                                      {"%", Operator::kModulo}});
}

// Here a sign binds tighter than a power, and powers are taken from the left, other than in Python.
Expected<ExpressionPointer> ExpressionParser::parse_power() {
  const auto unary = [](ExpressionParser& parser) { return parser.parse_unary(true); };
  auto first = unary(*this);
  if (!first || !cursor_.is_operator("**")) return first;
  const Position at = cursor_.at();
  Arithmetic node;
  node.first = *std::move(first);
  while (cursor_.take_operator("**")) {
    auto right = unary(*this);
    if (!right) return right;
    node.rest.emplace_back(Operator::kPower, *std::move(right));
  }
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_unary(bool with_filters) {
  const TokenCursor::Level level(cursor_);
  if (!level.ok()) return cursor_.too_deep();
  const Position at = cursor_.at();
  Result node = nullptr;
  if (cursor_.is_operator("-") || cursor_.is_operator("+")) {
    const auto kind = cursor_.is_operator("-") ? Unary::Kind::kNegate : Unary::Kind::kPlus;
    cursor_.advance();
    auto operand = parse_unary(false);
    if (!operand) return operand;
    node = make(at, Unary{kind, *std::move(operand)});
  } else {
    node = parse_primary();
  }
  if (node) node = parse_postfix(*std::move(node));
  if (node && with_filters) node = parse_filters_and_tests(*std::move(node));
  return node;
}

Expected<ExpressionPointer> ExpressionParser::parse_primary() {
  const Position at = cursor_.at();
  if (!cursor_.is(TokenKind::kName)) return parse_constant();
  std::string name = cursor_.current().text;
  cursor_.advance();
  if (name == "true" || name == "True") return make(at, Constant{Value::boolean(true)});
  if (name == "false" || name == "False") return make(at, Constant{Value::boolean(false)});
  if (name == "none" || name == "None") return make(at, Constant{Value::null()});
  implicit_names_.varargs |= name == "varargs";
  implicit_names_.kwargs |= name == "kwargs";
  implicit_names_.caller |= name == "caller";
  return make(at, Name{std::move(name)});
}

Expected<ExpressionPointer> ExpressionParser::parse_constant() {
  const Position at = cursor_.at();
  if (cursor_.is(TokenKind::kString)) {
    std::string text;  // neighbours are one string
    for (; cursor_.is(TokenKind::kString); cursor_.advance()) text += cursor_.current().text;
    return make(at, Constant{Value::string(std::move(text))});
  }
  if (cursor_.is(TokenKind::kInteger)) {
    const auto number = to_integer(cursor_.current().text);
    if (!number) return cursor_.error(at, "this number does not fit into 64 bits");
    cursor_.advance();
    return make(at, Constant{Value::integer(*number)});
  }
  if (cursor_.is(TokenKind::kFloat)) {
    const std::string& text = cursor_.current().text;
    double number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
      return cursor_.error(at, "this number is too large or too small");
    }
    cursor_.advance();
    return make(at, Constant{Value::number(number)});
  }
  if (cursor_.is_operator("(")) return parse_parenthesized();
  if (cursor_.is_operator("[")) return parse_array();
  if (cursor_.is_operator("{")) return parse_object();
  return cursor_.expected("a value");
}

Expected<ExpressionPointer> ExpressionParser::parse_parenthesized() {
  const Position at = cursor_.at();
  cursor_.advance();
  if (cursor_.take_operator(")")) return make(at, ArrayLiteral{{}, true});
  auto node = parse_tuple();
  if (!node) return node;
  if (auto ok = cursor_.expect_operator(")"); !ok) return std::unexpected(ok.error());
  return node;
}

Expected<ExpressionPointer> ExpressionParser::parse_array() {
  const Position at = cursor_.at();
  cursor_.advance();
  ArrayLiteral node;
  while (!cursor_.take_operator("]")) {
    if (!node.items.empty()) {
      if (auto ok = cursor_.expect_operator(","); !ok) return std::unexpected(ok.error());
      if (cursor_.take_operator("]")) break;
    }
    auto item = parse();
    if (!item) return item;
    node.items.push_back(*std::move(item));
  }
  return make(at, std::move(node));
}

Expected<ExpressionPointer> ExpressionParser::parse_object() {
  const Position at = cursor_.at();
  cursor_.advance();
  ObjectLiteral node;
  while (!cursor_.take_operator("}")) {
    if (!node.members.empty()) {
      if (auto ok = cursor_.expect_operator(","); !ok) return std::unexpected(ok.error());
      if (cursor_.take_operator("}")) break;
    }
    auto key = parse();
    if (!key) return key;
    if (auto ok = cursor_.expect_operator(":"); !ok) return std::unexpected(ok.error());
    auto value = parse();
    if (!value) return value;
    node.members.emplace_back(*std::move(key), *std::move(value));
  }
  return make(at, std::move(node));
}

}  // namespace quire::jinja
