// Runs a template's syntax tree on a context. One rendering, one thread; every node is a step of the
// budget.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "chat/builtins.h"
#include "chat/rendering.h"
#include "chat/scope.h"
#include "chat/syntax.h"
#include "chat/value.h"

namespace quire::jinja {

class Loop;
class MacroObject;

class Evaluator {
 public:
  // `context` is an object; it and the tree outlive this.
  Evaluator(const Value& context, Rendering& rendering);

  // The text that the template makes. Errors say line and column, but for those that the template itself
  // raises.
  Expected<MarkedText> run(const Body& body);

 private:
  friend class Loop;
  friend class MacroObject;
  enum class Flow : uint8_t { kNext, kBreak, kContinue };
  using ScopePointer = std::shared_ptr<Scope>;

  // --- Statements (evaluator.cpp) ---
  Expected<Flow> execute(const Body& body);
  Expected<Flow> execute(const Text& node, Position at);
  Expected<Flow> execute(const Output& node, Position at);
  Expected<Flow> execute(const If& node, Position at);
  Expected<Flow> execute(const For& node, Position at);
  Expected<Flow> execute(const Set& node, Position at);
  Expected<Flow> execute(const SetBlock& node, Position at);
  Expected<Flow> execute(const With& node, Position at);
  Expected<Flow> execute(const Macro& node, Position at);
  Expected<Flow> execute(const CallBlock& node, Position at);
  Expected<Flow> execute(const FilterBlock& node, Position at);
  Expected<Flow> execute(const Group& node, Position at);
  Expected<Flow> execute(const Break&, Position) { return Flow::kBreak; }
  Expected<Flow> execute(const Continue&, Position) { return Flow::kContinue; }

  // A body's text instead of its output, in a scope of its own.
  Expected<Value> capture(const Body& body, ScopePointer scope);
  Expected<> write(const Value& value, Position at);
  Expected<> assign(const Target& target, Value value);
  Expected<ScopePointer> enter(ScopePointer parent);
  Expected<bool> passes(const For& loop, const ScopePointer& outer, const Value& item);
  Expected<Value> call_macro(const MacroObject& macro, Arguments arguments);
  Expected<> bind_parameters(const Macro& macro, Arguments& arguments);
  Expected<> bind_implicit(const Macro& macro, Arguments& arguments);

  // --- Expressions (expression_evaluator.cpp) ---
  Expected<Value> evaluate(const Expression& expression);
  Expected<Value> evaluate(const Constant& node, Position) { return node.value; }
  Expected<Value> evaluate(const Name& node, Position at);
  Expected<Value> evaluate(const ArrayLiteral& node, Position at);
  Expected<Value> evaluate(const ObjectLiteral& node, Position at);
  Expected<Value> evaluate(const Attribute& node, Position at);
  Expected<Value> evaluate(const Subscript& node, Position at);
  Expected<Value> evaluate(const Slice& node, Position at);
  Expected<Value> evaluate(const Call& node, Position at);
  Expected<Value> evaluate(const Filter& node, Position at);
  Expected<Value> evaluate(const Test& node, Position at);
  Expected<Value> evaluate(const Arithmetic& node, Position at);
  Expected<Value> evaluate(const Comparison& node, Position at);
  Expected<Value> evaluate(const Concatenation& node, Position at);
  Expected<Value> evaluate(const Logical& node, Position at);
  Expected<Value> evaluate(const Unary& node, Position at);
  Expected<Value> evaluate(const Conditional& node, Position at);

  // A null expression is none.
  Expected<Value> evaluate_optional(const ExpressionPointer& expression);
  Expected<Value> call(const Call& node, Position at, Arguments arguments);
  Expected<Arguments> evaluate_arguments(const ArgumentList& list, Position at);
  Expected<> spread(const ArgumentExpression& expression, Value value, Position at, Arguments& arguments);
  Expected<Value> apply_filters(const Expression& filters, Value text);
  // Null if no scope and not the context has the name.
  const Value* find_variable(std::string_view name);

  // Adds the place to an error of an operation that does not know it.
  Error located(Position at, Error error) const;
  template <class T>
  Expected<T> located(Position at, Expected<T> result) const {
    if (result) return result;
    return std::unexpected(located(at, std::move(result).error()));
  }

  const Value& context_;
  Rendering& rendering_;
  ScopePointer scope_;
  MarkedText* output_ = nullptr;
  Value block_text_;  // what a block's filters start from
};

}  // namespace quire::jinja
