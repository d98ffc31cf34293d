#include "chat/syntax.h"

#include <algorithm>

namespace quire::jinja {
namespace {

// The height of the highest of a node's children.
class ChildHeight {
 public:
  int32_t highest = 0;

  void operator()(const Constant&) {}
  void operator()(const Name&) {}
  void operator()(const ArrayLiteral& node) { see(node.items); }
  void operator()(const ObjectLiteral& node) {
    for (const auto& [key, value] : node.members) see(key), see(value);
  }
  void operator()(const Attribute& node) { see(node.object); }
  void operator()(const Subscript& node) { see(node.object), see(node.index); }
  void operator()(const Slice& node) { see(node.object), see(node.begin), see(node.end), see(node.step); }
  void operator()(const Call& node) { see(node.callee), see(node.arguments); }
  void operator()(const Filter& node) { see(node.input), see(node.arguments); }
  void operator()(const Test& node) { see(node.input), see(node.arguments); }
  void operator()(const Arithmetic& node) { see(node.first), see(node.rest); }
  void operator()(const Comparison& node) { see(node.first), see(node.rest); }
  void operator()(const Concatenation& node) { see(node.parts); }
  void operator()(const Logical& node) { see(node.parts); }
  void operator()(const Unary& node) { see(node.operand); }
  void operator()(const Conditional& node) { see(node.condition), see(node.yes), see(node.no); }

 private:
  void see(const ExpressionPointer& child) {
    if (child) highest = std::max(highest, child->height);
  }
  void see(const ArgumentExpression& argument) { see(argument.value); }
  void see(const Operation& operation) { see(operation.second); }
  template <class Child>
  void see(const std::vector<Child>& children) {
    for (const auto& child : children) see(child);
  }
};

}  // namespace

ExpressionPointer make_expression(Position at, Expression::Node node) {
  ChildHeight children;
  std::visit(children, node);
  return std::make_unique<const Expression>(Expression{at, children.highest + 1, std::move(node)});
}

}  // namespace quire::jinja
