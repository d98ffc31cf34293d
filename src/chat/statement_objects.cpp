#include "chat/statement_objects.h"

#include <limits>
#include <utility>

#include "chat/comparison.h"

namespace quire::jinja {

Expected<Value> MacroObject::attribute(std::string_view name) {
  if (name == "name") return Value::string(macro_.name);
  return TemplateObject::attribute(name);
}

Expected<Value> MacroObject::call(Arguments arguments) {
  return evaluator_.call_macro(*this, std::move(arguments));
}

// loop.cycle and loop.changed
class Loop::Method final : public TemplateObject {
 public:
  Method(Loop& loop, bool cycles) : loop_(loop), cycles_(cycles) {}
  std::string_view description() const override { return cycles_ ? "loop.cycle" : "loop.changed"; }
  bool is_callable() const override { return true; }
  Expected<Value> call(Arguments arguments) override {
    return cycles_ ? loop_.cycle(arguments) : loop_.changed(std::move(arguments));
  }

 private:
  Loop& loop_;
  const bool cycles_;
};

Loop::Loop(Evaluator& evaluator, const For& node, Value items)
    : evaluator_(evaluator), node_(node), outer_(evaluator.scope_), items_(std::move(items)) {}

Expected<> Loop::look_ahead(size_t count) {
  while (ahead_.size() < count && read_ < items_.items().size()) {
    const Value& item = items_.items()[read_++];
    if (!evaluator_.rendering_.spend(1)) return evaluator_.rendering_.exhausted();
    const auto passes = evaluator_.passes(node_, outer_, item);
    if (!passes) return std::unexpected(passes.error());
    if (*passes) ahead_.push_back(item);
  }
  return {};
}

Expected<bool> Loop::advance() {
  if (auto ok = look_ahead(1); !ok) return pass(ok);
  if (ahead_.empty()) return false;
  previous_ = std::exchange(current_, std::move(ahead_.front()));
  ahead_.pop_front();
  ++index0_;
  return true;
}

Expected<Value> Loop::length() {
  if (auto ok = look_ahead(std::numeric_limits<size_t>::max()); !ok) return pass(ok);
  return Value::integer(index0_ + 1 + static_cast<int64_t>(ahead_.size()));
}

Expected<Value> Loop::attribute(std::string_view name) {
  if (name == "index") return Value::integer(index0_ + 1);
  if (name == "index0") return Value::integer(index0_);
  if (name == "first") return Value::boolean(index0_ == 0);
  if (name == "length") return length();
  if (name == "revindex" || name == "revindex0") {
    const auto total = length();
    if (!total) return total;
    return Value::integer(total->as_integer() - index0_ - (name == "revindex0"));
  }
  if (name == "last" || name == "nextitem") {
    if (auto ok = look_ahead(1); !ok) return pass(ok);
    if (name == "last") return Value::boolean(ahead_.empty());
    return ahead_.empty() ? Value::undefined("loop.nextitem") : ahead_.front();
  }
  if (name == "previtem") return index0_ == 0 ? Value::undefined("loop.previtem") : previous_;
  if (name == "depth") return Value::integer(1);
  if (name == "depth0") return Value::integer(0);
  if (name == "cycle" || name == "changed")
    return evaluator_.rendering_.make<Method>(*this, name == "cycle");
  return TemplateObject::attribute(name);
}

Expected<Value> Loop::cycle(const Arguments& arguments) const {
  if (arguments.positional.empty()) return fail(ErrorCode::kInvalidArgument, "loop.cycle() needs items");
  return arguments.positional[static_cast<size_t>(index0_) % arguments.positional.size()];
}

// Whether the values differ from those of the call before.
Expected<Value> Loop::changed(Arguments arguments) {
  const Value now = Value::tuple(arguments.positional);
  if (last_changed_) {
    const auto equal = are_equal(evaluator_.rendering_, Value::tuple(*last_changed_), now);
    if (!equal) return std::unexpected(equal.error());
    if (*equal) return Value::boolean(false);
  }
  last_changed_ = std::move(arguments.positional);
  return Value::boolean(true);
}

}  // namespace quire::jinja
