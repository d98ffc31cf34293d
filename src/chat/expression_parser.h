// Expressions of a template, by recursive descent with Jinja's precedences: if-else, or, and, not,
// comparisons, + -, ~,
// * / // %, **, unary - +, then calls, subscripts, filters and tests.
#pragma once

#include <initializer_list>
#include <string_view>

#include "chat/syntax.h"
#include "chat/token_cursor.h"

namespace quire::jinja {

// Which of a macro's implicit variables were named; the statement parser resets and reads them around each
// macro.
struct ImplicitNames {
  bool varargs = false;
  bool kwargs = false;
  bool caller = false;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

  Expected<ExpressionPointer> parse(bool with_conditional = true);

  // One expression, or a tuple if commas follow. `stop` is a name that ends it, such as "in".
  Expected<ExpressionPointer> parse_tuple(bool with_conditional = true, std::string_view stop = {});

  // Filters after a block's opening: name(arguments)|name..., the first applied to the block's text. The
  // cursor stands on the first name.
  Expected<ExpressionPointer> parse_block_filters();

  // What `set` or `for` assigns to.
  Expected<Target> parse_target(bool with_namespace, std::string_view stop);

  ImplicitNames& implicit_names() { return implicit_names_; }

 private:
  using Result = Expected<ExpressionPointer>;

  Result parse_or();
  Result parse_and();
  Result parse_not();
  Result parse_comparison();
  Result parse_sum();
  Result parse_concatenation();
  Result parse_product();
  Result parse_power();
  Result parse_unary(bool with_filters);
  Result parse_primary();
  Result parse_constant();
  Result parse_parenthesized();
  Result parse_array();
  Result parse_object();
  Result parse_postfix(ExpressionPointer node);
  Result parse_subscript(ExpressionPointer object);
  Result parse_filters_and_tests(ExpressionPointer node);
  Result parse_filter(ExpressionPointer input);
  Result parse_test(ExpressionPointer input);
  Result parse_call(ExpressionPointer callee);
  Expected<ArgumentList> parse_arguments();
  Expected<ArgumentExpression> parse_argument();
  Expected<Target> parse_one_target(bool with_namespace);

  // first (op next)*, as a flat node, for the operators given.
  Result parse_chain(Result (ExpressionParser::*next)(),
                     std::initializer_list<std::pair<std::string_view, Operator>> operators);
  Result parse_logical(Result (ExpressionParser::*next)(), std::string_view word);

  // Makes a node and checks its height.
  Result make(Position at, Expression::Node node);

  TokenCursor& cursor_;
  ImplicitNames implicit_names_;
};

}  // namespace quire::jinja
