// Bytes of a connection to HTTP/1.1 requests (RFC 9112), within bounds. Knows nothing of sockets: the
// connection puts bytes in and asks how far they reach. Bytes behind a request wait for the next one
// (pipelining).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/api_error.h"
#include "server/http/http_message.h"

namespace quire {

struct HttpLimits {
  size_t max_header_bytes = 16 << 10;
  size_t max_body_bytes = 16 << 20;
};

class HttpReader {
 public:
  explicit HttpReader(const HttpLimits& limits);
  ~HttpReader();

  enum class State : uint8_t {
    kIdle,      // no byte of a request yet
    kHead,      // within the header
    kHeadDone,  // head() is there: once, before the body; call advance() again to go on
    kBody,      // within the body
    kDone,      // the request is whole
    kFailed,    // error() says why; the connection cannot go on, for nobody knows where the next request
                // begins
  };

  // How many bytes put() takes; 0 when as much waits as may.
  size_t room() const;
  void put(std::string_view bytes);  // from the socket, at most room()

  // Reads on in what waits.
  State advance();

  const RequestHead& head() const { return head_; }
  const std::string& target() const { return target_; }  // as it was sent, for the log
  const std::string& method() const { return method_; }
  bool is_http10() const { return http10_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }  // and no byte of the body is there yet
  bool has_body() const { return has_body_; }
  const ApiError& error() const { return error_; }

  size_t body_bytes() const;  // so far
  std::string take_body();

  // Forgets the request; the next one begins with the bytes that wait.
  void next();

 private:
  struct Parser;
  State fail(int status, std::string message);
  State finish_head();

  const HttpLimits limits_;
  std::unique_ptr<Parser> parser_;
  State state_ = State::kIdle;
  RequestHead head_;
  std::string target_, method_;
  bool http10_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_body_ = false;
  ApiError error_;
};

}  // namespace quire
