// Who may use the API. Keys are compared by their SHA-256 in constant time, so that an answer's time says
// nothing of how much of a guess was right (CVE-2025-59425). Some are given in a list, for as long as the
// server lives; others have names, and can be replaced while it serves. Any thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "server/access/rate_limiter.h"

namespace quire {

struct NamedKey {
  std::string name;
  std::array<unsigned char, 32> digest{};
  KeyLimits limits;
};

class ApiKeys {
 public:
  using Digest = std::array<unsigned char, 32>;

  // Keys separated by commas; spaces around them do not count. None, and no named ones: everybody may.
  explicit ApiKeys(std::string_view list);

  // From now on these are the named keys. A name has the same number whenever it comes. Returns the numbers
  // of `keys`.
  std::vector<TenantId> set_named(std::span<const NamedKey> keys);

  bool required() const { return !table()->empty(); }
  // Keys, of which each has a number from 1 on: first those of the list, then the named ones in the order in
  // which they first came.
  TenantId size() const;

  // The number of the key in `authorization`, the value of that header ("Bearer KEY"); 0 if it is none of
  // them. Takes the same time for all.
  TenantId find(std::string_view authorization) const;
  bool accept(std::string_view authorization) const { return !required() || find(authorization) > 0; }

  // What the key is called; empty for those of the list.
  std::string name_of(TenantId key) const;

  static Digest digest(std::string_view key);

  // The key in `authorization` (the scheme in any case, RFC 9110, 11.1); empty if there is none.
  static std::string_view bearer_key(std::string_view authorization);

 private:
  struct Entry {
    Digest digest;
    TenantId number = 0;
  };
  using Table = std::vector<Entry>;
  std::shared_ptr<const Table> table() const;

  mutable std::mutex mutex_;
  std::vector<Entry> listed_;
  std::shared_ptr<const Table> table_;       // never changed once it is there
  std::map<std::string, TenantId> numbers_;  // of every name that there ever was
};

// For a list that an operator gave, by flag or variable: an error (param api_key) if it names no key, as
// serving on would let everybody in.
Expected<> check_given_keys(std::string_view list);

}  // namespace quire
