// Who may use the API. Keys are compared by their SHA-256 in constant time, so that an answer's time says
// nothing of how much of a guess was right (CVE-2025-59425).
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"

namespace quire {

class ApiKeys {
 public:
  // Keys separated by commas; spaces around them do not count. None: everybody may.
  explicit ApiKeys(std::string_view list);

  bool required() const { return !digests_.empty(); }
  TenantId size() const { return static_cast<TenantId>(digests_.size()); }

  // The number of the key in `authorization`, the value of that header ("Bearer KEY"), from 1 on; 0 if it is
  // none of them. Takes the same time for all.
  TenantId find(std::string_view authorization) const;
  bool accept(std::string_view authorization) const { return !required() || find(authorization) > 0; }

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest(std::string_view key);

  std::vector<Digest> digests_;
};

// For a list that an operator gave, by flag or variable: an error (param api_key) if it names no key, as
// serving on would let everybody in.
Expected<> check_given_keys(std::string_view list);

}  // namespace quire
