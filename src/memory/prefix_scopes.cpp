#include "memory/prefix_scopes.h"

#include <fmt/format.h>

#include "base/check.h"

namespace quire {

ScopeId PrefixScopes::open(const PrefixScope& scope, const BlockHasher& hasher, uint64_t serial) {
  std::string name = fmt::format("{} {} {}", scope.adapter, scope.tenant, scope.salt);
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    add_holder(found->second);
    return found->second;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<ScopeId>(scopes_.size()));
    scopes_.emplace_back();
    free_.reserve(scopes_.capacity());  // the last holder may go in a step that must not allocate
  }
  const ScopeId id = free_.back();
  free_.pop_back();
  by_name_.emplace(name, id);
  scopes_[static_cast<size_t>(id)] = {
      .root = {hasher.root(scope), serial}, .num_holders = 1, .name = std::move(name)};
  return id;
}

void PrefixScopes::release(ScopeId id) {
  Scope& scope = scopes_[static_cast<size_t>(id)];
  CHECK(scope.num_holders > 0, "scope {} is released twice", id);
  if (--scope.num_holders > 0) return;
  by_name_.erase(scope.name);
  free_.push_back(id);
}

}  // namespace quire
