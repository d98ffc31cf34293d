// The HTTP front: OpenAI's API over an engine. Threads of its own read, parse, tokenize and write;
// the engine's thread never waits for them.
//
//   // An address in use is known before a model is read.
//   auto server = HttpServer::bind(config, clock, metrics);
//   // Meanwhile /live says 200, the rest 503.
//   auto engine = open_engine(engine_config, clock, metrics);
//   // Until SIGTERM, SIGINT or stop(); then it drains.
//   (*server)->serve(*engine);
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "engine/engine_handle.h"
#include "server/server_config.h"

namespace quire {

class HttpServer {
 public:
  // Validates, binds, listens and starts the HTTP thread and its workers. `clock` and `metrics` outlive the
  // server; no metric may be registered after serve() was called. From then on SIGHUP reads certificate and
  // key file again, if there is either; otherwise it means what it did, unless a service manager has
  // started the process. kIo: the address cannot be bound (the message says which and why). Errors of TLS
  // and of keys name their files.
  static Expected<std::unique_ptr<HttpServer>> bind(const ServerConfig& config, const Clock& clock,
                                                    MetricsRegistry& metrics);
  // That its certificate, its key and the file of API keys are there and right, as bind() would.
  static Expected<> check_files(const ServerConfig& config);
  ~HttpServer();  // closes every connection and joins the threads

  // The port that is listened on, and "http://127.0.0.1:8000" (or https) as a person would type it.
  uint16_t port() const;
  std::string url() const;

  // Answers from `engine` until SIGTERM, SIGINT or stop(). Then drains: answers new requests with 503, on
  // new connections too, lets what it has taken finish within shutdown_timeout and aborts the rest; only
  // then nobody is let in. A second signal ends the process at once (exit status 130 or 143). Returns
  // when no connection is left that uses `engine`. At most once. Before it answers, the prefixes of
  // prefix_file are pinned; one that cannot be is an error, and nobody is served.
  Expected<> serve(EngineHandle& engine);

  // Any thread; idempotent. What a signal does.
  void stop();

 private:
  struct Impl;
  struct Tracing;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
