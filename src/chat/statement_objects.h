// The objects that statements make: macros (and callers, which are macros without a name), and loops.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "chat/evaluator.h"

namespace quire::jinja {

class MacroObject final : public TemplateObject {
 public:
  // `scope` is where it was defined.
  MacroObject(Evaluator& evaluator, const Macro& macro, std::shared_ptr<Scope> scope)
      : evaluator_(evaluator), macro_(macro), scope_(std::move(scope)) {}

  const Macro& macro() const { return macro_; }
  const std::shared_ptr<Scope>& scope() const { return scope_; }

  std::string_view description() const override { return "macro"; }
  Expected<Value> attribute(std::string_view name) override;
  bool is_callable() const override { return true; }
  Expected<Value> call(Arguments arguments) override;

 private:
  Evaluator& evaluator_;
  const Macro& macro_;
  const std::shared_ptr<Scope> scope_;
};

// `loop` in a for block. Items that a condition leaves out do not count; it is asked for an item only when
// that item's turn comes, or when the template looks ahead (last, length, nextitem).
class Loop final : public TemplateObject {
 public:
  Loop(Evaluator& evaluator, const For& node, Value items);

  // Goes to the next item; false after the last.
  Expected<bool> advance();
  const Value& current() const { return current_; }

  std::string_view description() const override { return "loop"; }
  Expected<Value> attribute(std::string_view name) override;

 private:
  class Method;

  // Reads until `count` items are ahead, or there are no more.
  Expected<> look_ahead(size_t count);
  Expected<Value> length();
  Expected<Value> cycle(const Arguments& arguments) const;
  Expected<Value> changed(Arguments arguments);

  Evaluator& evaluator_;
  const For& node_;
  const std::shared_ptr<Scope> outer_;
  const Value items_;
  size_t read_ = 0;  // items taken from items_
  std::deque<Value> ahead_;
  Value previous_, current_;
  int64_t index0_ = -1;
  std::optional<std::vector<Value>> last_changed_;
};

}  // namespace quire::jinja
