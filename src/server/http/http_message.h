// HTTP requests and responses as plain data: what connections read and write, and what the API answers. RFC
// 9110, 9112.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/types.h"
#include "server/http/api_error.h"

namespace quire {

enum class HttpMethod : uint8_t { kGet, kHead, kPost, kDelete, kOptions, kOther };

// What of a request's header matters here.
struct RequestHead {
  HttpMethod method = HttpMethod::kOther;
  std::string path;  // without the query, percent-decoded
  std::string authorization;
  std::string content_type;
  std::string origin = {};  // of the page for which a browser sent it; empty: no page's
  std::string if_none_match = {};
  std::string request_id = {};        // the client's own name for it (X-Request-Id)
  bool asks_for_method = false;       // Access-Control-Request-Method: a browser asks before it sends
  std::string asks_for_headers = {};  // Access-Control-Request-Headers
  std::string traceparent = {};       // empty if there are several
  std::string tracestate = {};
  std::string host = {};   // as the client calls the server, maybe with a port
  std::string query = {};  // of the target, as it was sent
  std::string content_encoding = {};
  TenantId tenant = 0;  // of its key, for endpoints; none until it is looked up
};

using ResponseHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  ResponseHeaders headers;  // beside those that follow from the rest
  std::string body;
  std::optional<ApiError> error = {};  // that it stands for
};

HttpResponse json_response(std::string body);
// With its Retry-After, and WWW-Authenticate for 401.
HttpResponse error_response(const ApiError& error);

enum class BodyLength : uint8_t {
  kKnown,       // Content-Length
  kChunked,     // Transfer-Encoding: chunked
  kUntilClose,  // for HTTP/1.0: the connection's end is the body's
};

// The header of `response`, to the blank line. `unix_seconds` makes its Date.
std::string response_head(const HttpResponse& response, BodyLength length, bool keep_alive,
                          int64_t unix_seconds);

// One chunk of a chunked body; `data` is not empty, for an empty chunk ends the body.
void append_chunk(std::string& out, std::string_view data);
void append_last_chunk(std::string& out);

// The path of a request target: no query, no fragment, %XX decoded. Empty if it is malformed or in neither
// origin nor absolute form (RFC 9112, 3.2).
std::string target_path(std::string_view target);
// The host, maybe with a port, of one in absolute form; else empty.
std::string_view target_host(std::string_view target);
// Its query, without the question mark; not decoded.
std::string target_query(std::string_view target);

// What the first member `name` of a query says, decoded; none if there is none.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace quire
