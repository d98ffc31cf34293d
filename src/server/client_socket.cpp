#include "server/client_socket.h"

#include <fmt/format.h>
#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <utility>

namespace quire {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kSendBufferBytes = 256 << 10;  // what the kernel holds for a client that reads slowly

}  // namespace

ClientSocket::ClientSocket(tcp::socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;  // these only tune, or are shown
  const auto endpoint = socket_.remote_endpoint(ignored);
  peer_ = fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(tcp::socket::send_buffer_size(kSendBufferBytes), ignored);
}

void ClientSocket::read_some(std::span<char> into, Done done) {
  socket_.async_read_some(asio::buffer(into.data(), into.size()), std::move(done));
}

void ClientSocket::write_some(std::string_view bytes, Done done) {
  socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), std::move(done));
}

void ClientSocket::send_now(std::string_view bytes) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ignored);
}

bool ClientSocket::peer_left() {
  pollfd socket{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;
}

void ClientSocket::shut_writing() {
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void ClientSocket::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace quire
