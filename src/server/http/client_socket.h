// A client's socket, in the clear or under TLS: bytes in, bytes out, and whether the client is still there.
// Belongs to one connection, and everything happens on that connection's strand. Callbacks keep their
// connection alive, and so this; after close() those that still come have an error.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/http/tls.h"

namespace quire {

class ClientSocket {
 public:
  using Done = std::move_only_function<void(boost::system::error_code error, size_t bytes)>;

  // `tls`: null for a socket in the clear.
  ClientSocket(boost::asio::ip::tcp::socket socket, const TlsContext* tls);

  auto executor() { return socket_.get_executor(); }
  // "127.0.0.1:50123", for the log.
  const std::string& peer() const { return peer_; }

  // First of all: agrees with the client on keys, where there is TLS. With errc::wrong_protocol_type the
  // client spoke plain HTTP, and the socket is one in the clear from now on.
  void handshake(Done done);

  // At most one of each at a time. What they read into or write from lives until `done` is called; that is
  // never before they return. The client's end of its side is an error.
  void read_some(std::span<char> into, Done done);
  void write_some(std::string_view bytes, Done done);

  // A few bytes into an empty send buffer, at once or not at all: a client that is gone is noticed by the
  // read.
  void send_now(std::string_view bytes);

  // Whether the client has ended its side or is gone, without reading.
  bool peer_left();

  void shut_writing();  // the client reads an end after what was written
  void close();

 private:
  using Attempt = std::function<TlsSession::Step()>;
  void begin(Attempt attempt, Done done);
  void go_on(Attempt attempt, Done done);
  void wait(boost::asio::ip::tcp::socket::wait_type what, Attempt attempt, Done done);

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;  // null: in the clear
  std::string peer_;
};

}  // namespace quire
