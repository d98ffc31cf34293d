// A plain HTTP client on a blocking socket, for tests that need to misbehave. Every wait is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct ClientResponse {
  int status = 0;                              // 0: the connection ended before a response was whole
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class TestClient {
 public:
  explicit TestClient(uint16_t port);
  ~TestClient() { close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send(std::string_view bytes);
  // One response, whether its body has a length, is chunked, or ends with the connection. `head_only`: a
  // response to HEAD, which has no body whatever its header says.
  ClientResponse read_response(bool head_only = false);
  // Reads until `text` was seen in what has come since the last read; false if the connection ended before.
  bool read_until(std::string_view text);
  // True if the server closes the connection, after whatever it still sends.
  bool reads_end();
  void shut_writing();
  void reset();  // closes with a RST
  void close();

  ClientResponse get(std::string_view path);
  ClientResponse post(std::string_view path, std::string_view json);

 private:
  bool fill();  // reads more; false at the end

  int socket_ = -1;
  std::string received_;
};

std::string get_request(std::string_view path, std::string_view extra_headers = {});
std::string post_request(std::string_view path, std::string_view json, std::string_view extra_headers = {});

// The data of each event in an SSE body.
std::vector<std::string> events_of(std::string_view body);

}  // namespace quire
