// The scopes (adapter, tenant, salt) that prefixes are shared in, as small ids. A scope lives while somebody
// holds it: the requests that came with it, and the first blocks that are cached under it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "memory/block_hasher.h"

namespace quire {

using ScopeId = int32_t;
inline constexpr ScopeId kNoScope = -1;  // shares nothing

// What the blocks after it are chained to: a scope's root, or a cached block. A serial is never used again,
// so it says exactly which one is meant, whatever the digests do.
struct PrefixNode {
  BlockDigest digest = {};
  uint64_t serial = 0;
};

class PrefixScopes {
 public:
  // The scope's id, with one holder more. `serial` is taken if the scope is new.
  ScopeId open(const PrefixScope& scope, const BlockHasher& hasher, uint64_t serial);
  void add_holder(ScopeId id) { ++scopes_[static_cast<size_t>(id)].num_holders; }
  void release(ScopeId id);

  const PrefixNode& root(ScopeId id) const { return scopes_[static_cast<size_t>(id)].root; }
  size_t size() const { return by_name_.size(); }

 private:
  struct Scope {
    PrefixNode root;
    int64_t num_holders = 0;
    std::string name;
  };
  std::vector<Scope> scopes_;  // by id
  std::vector<ScopeId> free_;
  std::unordered_map<std::string, ScopeId> by_name_;
};

}  // namespace quire
