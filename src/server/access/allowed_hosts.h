// By which names clients may call the server: a Host header that names it otherwise may come of a page whose
// own name was made to resolve to this machine (DNS rebinding). To the browser such a page is the server's
// own, so that CORS does not keep it from asking and from reading the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace quire {

class AllowedHosts {
 public:
  // `list`: names separated by commas, beside which addresses, localhost and `bound_host`, the one that is
  // listened on, are always allowed; "*": all are. Empty: the same, but only for a server on the loopback
  // that asks for no key. Others may be called by any name: a page that has no key learns nothing, and an
  // address of the network is open to more than pages anyway.
  AllowedHosts(std::string_view list, std::string_view bound_host);

  // `host`: the header's value; empty, without it, is no browser's.
  bool allows(std::string_view host, bool needs_key) const;

 private:
  enum class Check : uint8_t { kNever, kWithoutKey, kAlways };

  Check check_ = Check::kNever;
  std::vector<std::string> names_;  // in lower case
};

// Each is a name without scheme, port and path, or all of the list is "*" (param allowed_hosts).
Expected<> check_hosts(std::string_view hosts);

}  // namespace quire
