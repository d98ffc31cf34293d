// Names of full blocks. A block's digest stands for its tokens and for all that came before them: the digest
// of block i is H(digest of block i - 1 | its tokens), and the first one's parent is a root that stands for
// whom the block may be shared with. Roots are keyed with a secret of the process, so nobody outside can
// make two prefixes collide (CVE-2025-25183), or tell from timing whether he guessed one of another salt
// (CVE-2025-46570).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/types.h"

namespace quire {

using BlockDigest = std::array<uint8_t, 32>;

// Only prefixes of one scope are shared.
struct PrefixScope {
  int32_t adapter = 0;  // 0: the model as it is
  TenantId tenant = 0;
  std::string_view salt = {};
};

// A seam for tests, which inject collisions.
class BlockHasher {
 public:
  virtual ~BlockHasher() = default;
  virtual BlockDigest root(const PrefixScope& scope) const = 0;
  virtual BlockDigest child(const BlockDigest& parent, std::span<const TokenId> tokens) const = 0;
};

// BLAKE2b-256 (RFC 7693). A block of up to 24 tokens takes one compression.
class Blake2Hasher final : public BlockHasher {
 public:
  using Secret = std::array<uint8_t, 32>;

  explicit Blake2Hasher(const Secret& secret);
  static Secret random_secret();

  BlockDigest root(const PrefixScope& scope) const override;
  BlockDigest child(const BlockDigest& parent, std::span<const TokenId> tokens) const override;

 private:
  Secret secret_;
};

}  // namespace quire
