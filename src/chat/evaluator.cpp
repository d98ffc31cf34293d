// The part of Evaluator that runs statements and macros.
#include "chat/evaluator.h"

#include <algorithm>
#include <utility>

#include "chat/access.h"
#include "chat/comparison.h"
#include "chat/python_text.h"
#include "chat/statement_objects.h"

namespace quire::jinja {

Evaluator::Evaluator(const Value& context, Rendering& rendering)
    : context_(context), rendering_(rendering), scope_(std::make_shared<Scope>(nullptr)) {}

Expected<MarkedText> Evaluator::run(const Body& body) {
  MarkedText text;
  output_ = &text;
  const auto flow = execute(body);
  if (!flow) return std::unexpected(flow.error());
  return text;
}

Expected<Evaluator::Flow> Evaluator::execute(const Body& body) {
  const Rendering::Frame frame(rendering_);
  if (!frame.ok()) return rendering_.too_deep();
  for (const Statement& statement : body) {
    if (!rendering_.spend(1)) return rendering_.exhausted();
    const auto flow =
        std::visit([&](const auto& node) { return execute(node, statement.at); }, statement.node);
    if (!flow || *flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Expected<Evaluator::Flow> Evaluator::execute(const Text& node, Position) {
  if (!rendering_.spend_bytes(node.text.size()) || !rendering_.fits(output_->size() + node.text.size())) {
    return rendering_.exhausted();
  }
  output_->append(node.text, false);
  return Flow::kNext;
}

Expected<> Evaluator::write(const Value& value, Position at) {
  return located(at, append_str(rendering_, value, *output_));
}

Expected<Evaluator::Flow> Evaluator::execute(const Output& node, Position at) {
  const auto value = evaluate(*node.value);
  if (!value) return std::unexpected(value.error());
  if (auto ok = write(*value, at); !ok) return pass(ok);
  return Flow::kNext;
}

Expected<Evaluator::Flow> Evaluator::execute(const If& node, Position) {
  for (const auto& [condition, body] : node.branches) {
    const auto value = evaluate(*condition);
    if (!value) return std::unexpected(value.error());
    if (is_true(*value)) return execute(body);
  }
  return execute(node.otherwise);
}

Expected<Evaluator::ScopePointer> Evaluator::enter(ScopePointer parent) {
  if (parent->depth() >= rendering_.max_frames()) return rendering_.too_deep();
  return std::make_shared<Scope>(std::move(parent));
}

Expected<bool> Evaluator::passes(const For& loop, const ScopePointer& outer, const Value& item) {
  if (!loop.condition) return true;
  auto scope = enter(outer);
  if (!scope) return pass(scope);
  const ScopePointer before = std::exchange(scope_, *std::move(scope));
  auto result = assign(loop.target, item);
  Expected<Value> value = Value();
  if (result) value = evaluate(*loop.condition);
  scope_ = before;
  if (!result) return pass(result);
  if (!value) return pass(value);
  return is_true(*value);
}

Expected<Evaluator::Flow> Evaluator::execute(const For& node, Position at) {
  const auto source = evaluate(*node.items);
  if (!source) return std::unexpected(source.error());
  auto items = located(at, items_of(rendering_, *source));
  if (!items) return pass(items);
  const Value object = rendering_.make<Loop>(*this, node, *std::move(items));
  auto& loop = static_cast<Loop&>(object.as_template_object());
  const ScopePointer outer = scope_;
  bool has_finished_one = false;  // an item's turn, to its end: a quirk of Jinja's else
  Expected<Flow> flow = Flow::kNext;
  while (flow && *flow != Flow::kBreak) {
    const auto more = loop.advance();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    auto scope = enter(outer);
    if (!scope) return pass(scope);
    scope_ = *std::move(scope);
    scope_->set("loop", object);
    auto assigned = assign(node.target, loop.current());
    flow = assigned ? execute(node.body) : Expected<Flow>(pass(assigned));
    scope_ = outer;
    has_finished_one |= flow && *flow == Flow::kNext;
  }
  if (!flow) return flow;
  if (!has_finished_one) return execute(node.otherwise);
  return Flow::kNext;
}

Expected<> Evaluator::assign(const Target& target, Value value) {
  if (!target.parts.empty()) {
    const auto items = located(target.at, items_of(rendering_, value));
    if (!items) return std::unexpected(items.error());
    if (items->items().size() != target.parts.size()) {
      return located<void>(target.at, fail(ErrorCode::kInvalidArgument, "{} values for {} names",
                                           items->items().size(), target.parts.size()));
    }
    for (size_t i = 0; i < target.parts.size(); ++i) {
      if (auto ok = assign(target.parts[i], items->items()[i]); !ok) return ok;
    }
    return {};
  }
  if (target.attribute.empty()) {
    if (!rendering_.spend(scope_->size() / 16)) return rendering_.exhausted();
    scope_->set(target.name, std::move(value));
    return {};
  }
  const Value* object = find_variable(target.name);
  if (object == nullptr || !object->is_template_object()) {
    return located<void>(target.at, fail(ErrorCode::kInvalidArgument, "'{}' is no namespace", target.name));
  }
  return located(target.at, object->as_template_object().set_attribute(target.attribute, std::move(value)));
}

Expected<Evaluator::Flow> Evaluator::execute(const Set& node, Position) {
  auto value = evaluate(*node.value);
  if (!value) return pass(value);
  if (auto ok = assign(node.target, *std::move(value)); !ok) return pass(ok);
  return Flow::kNext;
}

Expected<Value> Evaluator::capture(const Body& body, ScopePointer scope) {
  MarkedText text;
  MarkedText* const output = std::exchange(output_, &text);
  const ScopePointer before = std::exchange(scope_, std::move(scope));
  const auto flow = execute(body);
  scope_ = before;
  output_ = output;
  if (!flow) return std::unexpected(flow.error());
  return Value::text(std::move(text));
}

Expected<Evaluator::Flow> Evaluator::execute(const SetBlock& node, Position) {
  auto scope = enter(scope_);
  if (!scope) return pass(scope);
  auto text = capture(node.body, *std::move(scope));
  if (text && node.filters) text = apply_filters(*node.filters, *std::move(text));
  if (!text) return pass(text);
  if (auto ok = assign(node.target, *std::move(text)); !ok) return pass(ok);
  return Flow::kNext;
}

Expected<Evaluator::Flow> Evaluator::execute(const FilterBlock& node, Position at) {
  auto scope = enter(scope_);
  if (!scope) return pass(scope);
  auto text = capture(node.body, *std::move(scope));
  if (text) text = apply_filters(*node.filters, *std::move(text));
  if (!text) return pass(text);
  if (auto ok = write(*text, at); !ok) return pass(ok);
  return Flow::kNext;
}

Expected<Evaluator::Flow> Evaluator::execute(const With& node, Position) {
  auto scope = enter(scope_);
  if (!scope) return pass(scope);
  std::vector<Value> values;  // all computed outside, before any is set
  for (const auto& [target, expression] : node.values) {
    auto value = evaluate(*expression);
    if (!value) return pass(value);
    values.push_back(*std::move(value));
  }
  const ScopePointer outer = std::exchange(scope_, *std::move(scope));
  Expected<> assigned;
  for (size_t i = 0; i < values.size() && assigned; ++i)
    assigned = assign(node.values[i].first, std::move(values[i]));
  auto flow = assigned ? execute(node.body) : Expected<Flow>(pass(assigned));
  scope_ = outer;
  return flow;
}

Expected<Evaluator::Flow> Evaluator::execute(const Group& node, Position) { return execute(node.body); }

Expected<Evaluator::Flow> Evaluator::execute(const Macro& node, Position) {
  scope_->set(node.name, rendering_.make<MacroObject>(*this, node, scope_));
  return Flow::kNext;
}

Expected<Evaluator::Flow> Evaluator::execute(const CallBlock& node, Position at) {
  Arguments caller;
  caller.named.emplace_back("caller", rendering_.make<MacroObject>(*this, node.caller, scope_));
  const auto value = call(std::get<Call>(node.call->node), at, std::move(caller));
  if (!value) return std::unexpected(value.error());
  if (auto ok = write(*value, at); !ok) return pass(ok);
  return Flow::kNext;
}

// Sets the parameters in scope_, takes the arguments used out of `arguments`.
Expected<> Evaluator::bind_parameters(const Macro& macro, Arguments& arguments) {
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const Parameter& parameter = macro.parameters[i];
    const auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                                    [&](const auto& argument) { return argument.first == parameter.name; });
    if (i < arguments.positional.size()) {
      if (named != arguments.named.end()) {
        return fail(ErrorCode::kInvalidArgument, "macro '{}' got two values for '{}'", macro.name,
                    parameter.name);
      }
      scope_->set(parameter.name, arguments.positional[i]);
    } else if (named != arguments.named.end()) {
      scope_->set(parameter.name, std::move(named->second));
      arguments.named.erase(named);
    } else if (parameter.fallback) {
      auto value = evaluate(*parameter.fallback);
      if (!value) return pass(value);
      scope_->set(parameter.name, *std::move(value));
    } else {
      scope_->set(parameter.name, Value::undefined(parameter.name));
    }
  }
  const auto used =
      static_cast<std::ptrdiff_t>(std::min(arguments.positional.size(), macro.parameters.size()));
  arguments.positional.erase(arguments.positional.begin(), arguments.positional.begin() + used);
  return {};
}

// What is left over goes to varargs, kwargs and caller, if the macro's body names them.
Expected<> Evaluator::bind_implicit(const Macro& macro, Arguments& arguments) {
  const auto caller = std::find_if(arguments.named.begin(), arguments.named.end(),
                                   [](const auto& argument) { return argument.first == "caller"; });
  if (macro.uses_caller) {
    const bool given = caller != arguments.named.end();
    scope_->set("caller", given ? std::move(caller->second) : Value::undefined("caller"));
    if (given) arguments.named.erase(caller);
  }
  if (!macro.uses_varargs && !arguments.positional.empty()) {
    return fail(ErrorCode::kInvalidArgument, "macro '{}' takes {} arguments at most", macro.name,
                macro.parameters.size());
  }
  if (!macro.uses_kwargs && !arguments.named.empty()) {
    return fail(ErrorCode::kInvalidArgument, "macro '{}' has no parameter '{}'", macro.name,
                arguments.named[0].first.substr(0, 80));
  }
  if (macro.uses_varargs) scope_->set("varargs", Value::tuple(std::move(arguments.positional)));
  if (macro.uses_kwargs) {
    Value named = Value::object();
    for (auto& [name, value] : arguments.named) named.set(name, std::move(value));
    scope_->set("kwargs", std::move(named));
  }
  return {};
}

Expected<Value> Evaluator::call_macro(const MacroObject& object, Arguments arguments) {
  const Rendering::Frame frame(rendering_);
  if (!frame.ok()) return rendering_.too_deep();
  // Binding looks each parameter up among the named arguments.
  const Macro& macro = object.macro();
  if (!rendering_.spend(macro.parameters.size() * (1 + arguments.named.size())))
    return rendering_.exhausted();
  auto scope = enter(object.scope());
  if (!scope) return pass(scope);
  const ScopePointer before = std::exchange(scope_, *scope);
  auto bound = bind_parameters(macro, arguments);
  if (bound) bound = bind_implicit(macro, arguments);
  scope_ = before;
  if (!bound) return pass(bound);
  return capture(macro.body, *std::move(scope));
}

}  // namespace quire::jinja
