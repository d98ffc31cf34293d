// The syntax tree of a template. Trees own their parts, are never changed once parsed, and are at most
// TemplateLimits::max_depth high (long chains of one operator are flat), so that walking them by recursion
// is safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chat/lexer.h"
#include "chat/value.h"

namespace quire::jinja {

struct Builtin;    // chat/builtins.h
struct Predicate;  // chat/builtins.h
struct Expression;
using ExpressionPointer = std::unique_ptr<const Expression>;

// --- Expressions ---

struct Constant {
  Value value;
};

struct Name {
  std::string name;
};

struct ArrayLiteral {
  std::vector<ExpressionPointer> items;
  bool is_tuple = false;
};

struct ObjectLiteral {
  std::vector<std::pair<ExpressionPointer, ExpressionPointer>> members;
};

// object.name
struct Attribute {
  ExpressionPointer object;
  Value name;  // a string
};

// object[index]
struct Subscript {
  ExpressionPointer object;
  ExpressionPointer index;
};

// object[begin:end:step]; a null part was left out.
struct Slice {
  ExpressionPointer object;
  ExpressionPointer begin, end, step;
};

struct ArgumentExpression {
  enum class Kind : uint8_t { kPositional, kNamed, kSpreadArray, kSpreadObject };
  Kind kind = Kind::kPositional;
  std::string name;  // of kNamed
  ExpressionPointer value;
};
using ArgumentList = std::vector<ArgumentExpression>;

struct Call {
  ExpressionPointer callee;
  ArgumentList arguments;
};

// input|name(arguments). In the filters of a block the innermost input is null: the block's text.
struct Filter {
  ExpressionPointer input;
  std::string name;
  const Builtin* builtin = nullptr;  // null: no such filter, an error once it is reached
  ArgumentList arguments;
};

// input is name(arguments)
struct Test {
  ExpressionPointer input;
  std::string name;
  const Predicate* predicate = nullptr;  // null: no such test
  ArgumentList arguments;
};

enum class Operator : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

using Operation = std::pair<Operator, ExpressionPointer>;

// first op second op third ..., from the left.
struct Arithmetic {
  ExpressionPointer first;
  std::vector<Operation> rest;
};

// a < b <= c: true if each neighbouring pair compares so.
struct Comparison {
  ExpressionPointer first;
  std::vector<Operation> rest;
};

// a ~ b ~ c
struct Concatenation {
  std::vector<ExpressionPointer> parts;
};

// a and b and c (or: or): the value of the first part that decides, else of the last.
struct Logical {
  bool is_and = false;
  std::vector<ExpressionPointer> parts;
};

struct Unary {
  enum class Kind : uint8_t { kNot, kNegate, kPlus };
  Kind kind = Kind::kNot;
  ExpressionPointer operand;
};

// yes if condition else no; a null `no` is undefined.
struct Conditional {
  ExpressionPointer condition, yes, no;
};

struct Expression {
  using Node =
      std::variant<Constant, Name, ArrayLiteral, ObjectLiteral, Attribute, Subscript, Slice, Call, Filter,
                   Test, Arithmetic, Comparison, Concatenation, Logical, Unary, Conditional>;
  Position at;
  int32_t height = 1;  // 1 for a leaf
  Node node;
};

ExpressionPointer make_expression(Position at, Expression::Node node);

// --- Statements ---

struct Statement;
using Body = std::vector<Statement>;

// What `set` and `for` assign to: a name, an attribute of a namespace, or several of these.
struct Target {
  Position at;
  std::string name;
  std::string attribute;      // empty: the name itself
  std::vector<Target> parts;  // not empty: what is assigned is unpacked
};

struct Text {
  std::string text;
};

struct Output {
  ExpressionPointer value;
};

struct If {
  std::vector<std::pair<ExpressionPointer, Body>> branches;
  Body otherwise;
};

struct For {
  Target target;
  ExpressionPointer items;
  ExpressionPointer condition;  // null: every item
  Body body;
  Body otherwise;  // when no item's turn came to its end
};

struct Set {
  Target target;
  ExpressionPointer value;
};

// {% set target | filters %}body{% endset %}
struct SetBlock {
  Target target;
  ExpressionPointer filters;  // null: none
  Body body;
};

struct With {
  std::vector<std::pair<Target, ExpressionPointer>> values;
  Body body;
};

struct Parameter {
  std::string name;
  ExpressionPointer fallback;  // null: undefined
};

struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  Body body;
  // Whether the body names them: only then may a call give more than the parameters take.
  bool uses_varargs = false;
  bool uses_kwargs = false;
  bool uses_caller = false;
};

// {% call(parameters) callee(arguments) %}body{% endcall %}
struct CallBlock {
  ExpressionPointer call;  // a Call
  Macro caller;
};

struct FilterBlock {
  ExpressionPointer filters;
  Body body;
};

// {% generation %}: a stretch that training masks; here only its contents matter.
struct Group {
  Body body;
};

struct Break {};
struct Continue {};

struct Statement {
  using Node = std::variant<Text, Output, If, For, Set, SetBlock, With, Macro, CallBlock, FilterBlock,
                            Group, Break, Continue>;
  Position at;
  Node node;
};

}  // namespace quire::jinja
