// A small HTTP/1.1 client on coroutines: one request a connection, the body of the answer handed over as it
// arrives. All on the thread that runs the io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/function_ref.h"

namespace quire {

struct HttpTarget {
  std::string host;
  uint16_t port = 0;
  std::string api_key;  // sent as a bearer token unless empty
  boost::asio::ip::tcp::resolver::results_type addresses;
};

// Resolves `host`. kUnavailable if it has no address.
Expected<HttpTarget> resolve_target(boost::asio::io_context& context, std::string host, uint16_t port,
                                    std::string api_key);

struct HttpRequest {
  std::string_view path;
  std::string_view body;                    // empty: a GET; otherwise a POST of JSON
  std::chrono::seconds silence_limit{600};  // that the server may send nothing
};

// Sends and calls `on_body` with each piece of the answer's body; an error that it returns ends the
// exchange. Gives the status code. kUnavailable: no connection, a broken one, or silence. What the
// arguments refer to lives until the end.
boost::asio::awaitable<Expected<int>> http_exchange(
    const HttpTarget& target, const HttpRequest& request,
    FunctionRef<Expected<>(std::string_view bytes, int status)> on_body);

// The whole body of an answer with status 200, up to `max_bytes`.
boost::asio::awaitable<Expected<std::string>> http_get(const HttpTarget& target, std::string_view path,
                                                       size_t max_bytes = 4 << 20);

}  // namespace quire
