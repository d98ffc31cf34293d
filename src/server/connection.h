// One client's connection: reads requests, writes answers, notices when the client leaves. All of it
// happens on the connection's strand; what is public may be called from any thread. Memory is bounded: one
// request's body, what the engine has ready of one answer, and a read buffer.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "server/api.h"
#include "server/http/tls.h"
#include "server/id_source.h"
#include "server/server_config.h"

namespace quire {

class RequestTracer;

// What the connections of one server share. Outlives them.
struct ConnectionHost {
  const ServerConfig& config;
  const Api& api;
  const Clock& clock;
  RequestTracer* tracer;                       // null: requests are not traced
  boost::asio::any_io_executor workers;        // where bodies are parsed, rendered and tokenized
  std::function<void(uint64_t id)> on_closed;  // any thread
  std::atomic<int64_t> body_bytes{0};          // of request bodies in memory, over all connections
  IdSource request_ids{};
  const TlsContext* tls = nullptr;  // null: connections are in the clear
};

class Connection {
 public:
  // The connection keeps itself alive until it is closed. `socket` is on a strand of its own.
  static std::shared_ptr<Connection> start(uint64_t id, boost::asio::ip::tcp::socket socket,
                                           ConnectionHost& host);

  virtual ~Connection() = default;
  virtual void finish() = 0;  // closes as soon as no answer is being made
  virtual void kill() = 0;    // closes now
};

}  // namespace quire
