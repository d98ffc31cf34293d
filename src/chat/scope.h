// Variables of one block, macro call or loop iteration, and those around it. A macro keeps the scope that
// it was defined in, so scopes are shared; names point into the syntax tree, which outlives them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/value.h"

namespace quire::jinja {

class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> parent)
      : parent_(std::move(parent)), depth_(parent_ ? parent_->depth_ + 1 : 1) {}

  void set(std::string_view name, Value value) {
    for (auto& [known, old] : variables_) {
      if (known == name) {
        old = std::move(value);
        return;
      }
    }
    variables_.emplace_back(name, std::move(value));
  }

  // Null if no scope from here outwards has it. `scanned` grows by the variables that were looked at.
  const Value* find(std::string_view name, size_t& scanned) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
      scanned += scope->variables_.size() + 1;
      for (const auto& [known, value] : scope->variables_) {
        if (known == name) return &value;
      }
    }
    return nullptr;
  }

  size_t size() const { return variables_.size(); }
  int32_t depth() const { return depth_; }

 private:
  const std::shared_ptr<Scope> parent_;
  const int32_t depth_;
  std::vector<std::pair<std::string_view, Value>> variables_;
};

}  // namespace quire::jinja
