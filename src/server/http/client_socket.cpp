#include "server/http/client_socket.h"

#include <fmt/format.h>
#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace quire {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kSendBufferBytes = 256 << 10;  // what the kernel holds for a client that reads slowly

boost::system::error_code error_of(TlsSession::Next next) {
  if (next == TlsSession::Next::kDone) return {};
  if (next == TlsSession::Next::kEnd) return asio::error::eof;
  const bool plain = next == TlsSession::Next::kPlainHttp;
  return make_error_code(plain ? boost::system::errc::wrong_protocol_type
                               : boost::system::errc::protocol_error);
}

}  // namespace

ClientSocket::ClientSocket(tcp::socket socket, const TlsContext* tls) : socket_(std::move(socket)) {
  boost::system::error_code ignored;  // these only tune, or are shown
  const auto endpoint = socket_.remote_endpoint(ignored);
  peer_ = fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(tcp::socket::send_buffer_size(kSendBufferBytes), ignored);
  if (!tls) return;
  socket_.native_non_blocking(true, ignored);
  tls_ = tls->new_session(socket_.native_handle());
}

void ClientSocket::handshake(Done done) {
  if (tls_) return begin([this] { return tls_->accept(); }, std::move(done));
  asio::post(executor(), [done = std::move(done)]() mutable { done({}, 0); });
}

// What is done at once is told later, like all else: nobody is called while he calls.
void ClientSocket::begin(Attempt attempt, Done done) {
  asio::post(executor(), [this, attempt = std::move(attempt), done = std::move(done)]() mutable {
    go_on(std::move(attempt), std::move(done));
  });
}

void ClientSocket::go_on(Attempt attempt, Done done) {
  // Closed meanwhile: its number may be another socket's by now.
  if (!socket_.is_open()) return done(asio::error::operation_aborted, 0);
  const TlsSession::Step step = attempt();
  switch (step.next) {
    case TlsSession::Next::kReadable:
      return wait(tcp::socket::wait_read, std::move(attempt), std::move(done));
    case TlsSession::Next::kWritable:
      return wait(tcp::socket::wait_write, std::move(attempt), std::move(done));
    case TlsSession::Next::kPlainHttp: tls_.reset(); break;
    default: break;
  }
  done(error_of(step.next), step.bytes);
}

void ClientSocket::wait(tcp::socket::wait_type what, Attempt attempt, Done done) {
  socket_.async_wait(what, [this, attempt = std::move(attempt),
                            done = std::move(done)](boost::system::error_code error) mutable {
    if (error) return done(error, 0);
    go_on(std::move(attempt), std::move(done));
  });
}

void ClientSocket::read_some(std::span<char> into, Done done) {
  if (tls_) return begin([this, into] { return tls_->read(into); }, std::move(done));
  socket_.async_read_some(asio::buffer(into.data(), into.size()), std::move(done));
}

void ClientSocket::write_some(std::string_view bytes, Done done) {
  if (tls_) return begin([this, bytes] { return tls_->write(bytes); }, std::move(done));
  socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), std::move(done));
}

void ClientSocket::send_now(std::string_view bytes) {
  // A record that is half written could only be followed by its own rest.
  if (tls_) return tls_->write(bytes).next == TlsSession::Next::kDone ? void() : close();
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ignored);
}

bool ClientSocket::peer_left() {
  pollfd socket{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;
}

void ClientSocket::shut_writing() {
  if (tls_ && socket_.is_open()) tls_->end();
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void ClientSocket::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace quire
