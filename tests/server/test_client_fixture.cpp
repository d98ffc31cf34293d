#include "tests/server/test_client_fixture.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace quire {
namespace {

constexpr int kPatienceSeconds = 30;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

TestClient::TestClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

void TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has closed; what it said is still to be read
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool TestClient::fill() {
  char buffer[16384];
  const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
  if (got <= 0) {
    EXPECT_FALSE(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "the server says nothing";
    return false;
  }
  received_.append(buffer, static_cast<size_t>(got));
  return true;
}

bool TestClient::read_until(std::string_view text) {
  size_t at = 0;
  while ((at = received_.find(text)) == std::string::npos) {
    if (!fill()) return false;
  }
  received_.erase(0, at + text.size());
  return true;
}

bool TestClient::reads_end() {
  while (fill()) {
  }
  return true;
}

ClientResponse TestClient::read_response(bool head_only) {
  ClientResponse response;
  size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return response;
  }
  const std::string head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t line_end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    response.headers[lower(head.substr(at, colon - at))] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  int status = 0;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  if (head_only) {
    response.status = status;
  } else if (const auto length = response.headers.find("content-length");
             length != response.headers.end()) {
    const size_t size = std::stoul(length->second);
    while (received_.size() < size) {
      if (!fill()) return response;
    }
    response.body = received_.substr(0, size);
    received_.erase(0, size);
    response.status = status;
  } else if (response.headers.contains("transfer-encoding")) {
    while (true) {
      size_t line_end = 0;
      while ((line_end = received_.find("\r\n")) == std::string::npos) {
        if (!fill()) return response;
      }
      const size_t size = std::stoul(received_.substr(0, line_end), nullptr, 16);
      while (received_.size() < line_end + 2 + size + 2) {
        if (!fill()) return response;
      }
      response.body += received_.substr(line_end + 2, size);
      received_.erase(0, line_end + 2 + size + 2);
      if (size == 0) break;
    }
    response.status = status;
  } else if (status >= 200) {
    reads_end();
    response.body = std::exchange(received_, {});
    response.status = status;
  } else {
    response.status = status;
  }
  return response;
}

void TestClient::shut_writing() { ::shutdown(socket_, SHUT_WR); }

void TestClient::reset() {
  const linger abort{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  close();
}

void TestClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

ClientResponse TestClient::get(std::string_view path) {
  send(get_request(path));
  return read_response();
}

ClientResponse TestClient::post(std::string_view path, std::string_view json) {
  send(post_request(path, json));
  return read_response();
}

std::string get_request(std::string_view path, std::string_view extra_headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, extra_headers);
}

std::string post_request(std::string_view path, std::string_view json, std::string_view extra_headers) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      path, json.size(), extra_headers, json);
}

std::vector<std::string> events_of(std::string_view body) {
  std::vector<std::string> events;
  while (!body.empty()) {
    const size_t end = body.find("\n\n");
    EXPECT_TRUE(body.starts_with("data: ")) << body;
    EXPECT_NE(end, std::string_view::npos) << "an event without its blank line";
    if (end == std::string_view::npos) break;
    events.emplace_back(body.substr(6, end - 6));
    body.remove_prefix(end + 2);
  }
  return events;
}

}  // namespace quire
