// Cross-origin resource sharing (WHATWG Fetch, "CORS protocol"): which other sites' pages a browser lets
// call the API. Nothing is allowed unless the operator names origins, and cookies and the like never are:
// keys come in the Authorization header, which a page must send on purpose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/http/http_message.h"

namespace quire {

class CorsPolicy {
 public:
  // Origins as browsers write them, separated by commas, or "*" for all; empty: none.
  explicit CorsPolicy(std::string_view origins);

  bool allows(std::string_view origin) const;

  // The answer to a browser that asks whether a page may send a request; none if `head` is not that question
  // or no origin is allowed at all.
  std::optional<HttpResponse> preflight(const RequestHead& head) const;

  // Lets the page that sent the request read the answer, if its origin may.
  void add_headers(const RequestHead& head, HttpResponse& response) const;

 private:
  bool any_ = false;
  std::vector<std::string> origins_;
};

// Each is "scheme://host" or "scheme://host:port", or all of the list is "*" (param allowed_origins).
Expected<> check_origins(std::string_view origins);

}  // namespace quire
