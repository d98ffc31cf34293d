#include "server/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/thread_name.h"
#include "server/access/api_key_file.h"
#include "server/connection.h"
#include "server/descriptor_limit.h"
#include "server/prefix_file.h"
#include "server/service_notice.h"
#include "server/trace/request_tracer.h"
#include "server/trace/span_exporter.h"

namespace quire {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kCloseGrace = std::chrono::seconds(5);  // for last answers to be read when all is drained
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // when the system has no descriptor left

Expected<tcp::endpoint> resolve(const ServerConfig& config) {
  boost::system::error_code error;
  const auto port = static_cast<uint16_t>(config.port);
  if (const auto address = asio::ip::make_address(config.host, error); !error)
    return tcp::endpoint(address, port);
  asio::io_context context;
  const auto found = tcp::resolver(context).resolve(config.host, fmt::format("{}", port), error);
  if (error || found.empty()) {
    return fail_param("host",
                      "there is no address for the host '{}' ({}): --host takes an address of this "
                      "machine, 0.0.0.0 is all of "
                      "them",
                      config.host, error.message());
  }
  return found.begin()->endpoint();
}

}  // namespace

// Where spans of requests come from and go to.
struct HttpServer::Tracing {
  Tracing(OtlpEndpoint endpoint, const ServerConfig& config, const Clock& clock, MetricsRegistry& metrics)
      : exporter(std::move(endpoint), config.otlp_service_name, metrics), tracer(exporter, clock) {}

  // Null unless the configuration names an endpoint.
  static std::unique_ptr<Tracing> start(const ServerConfig& config, const Clock& clock,
                                        MetricsRegistry& metrics) {
    if (config.otlp_endpoint.empty()) return nullptr;
    auto endpoint = parse_otlp_endpoint(config.otlp_endpoint);
    CHECK(endpoint, "validate() lets no other through");
    return std::make_unique<Tracing>(std::move(*endpoint), config, clock, metrics);
  }

  SpanExporter exporter;
  RequestTracer tracer;
};

struct HttpServer::Impl {
  Impl(const ServerConfig& config, const Clock& clock, MetricsRegistry& metrics)
      : config(config),
        clock(clock),
        api(this->config, clock, metrics),
        tracing(Tracing::start(config, clock, metrics)),
        host{.config = this->config,
             .api = api,
             .clock = clock,
             .tracer = tracing ? &tracing->tracer : nullptr,
             .workers = {},
             .on_closed = [this](uint64_t id) { on_closed(id); }},
        io(1),
        work(io.get_executor()),
        acceptor(asio::make_strand(io)),
        accept_pause(acceptor.get_executor()),
        signals(acceptor.get_executor()),
        hangups(acceptor.get_executor()),
        workers(0) {
    host.workers = workers.get_executor();
  }
  ~Impl();

  Expected<> listen();
  Expected<> open_tls();
  Expected<> read_keys();
  bool can_reload() const { return tls || !config.api_key_file.empty(); }
  void reload();
  void run_threads();
  void accept();
  void on_accept(boost::system::error_code error, tcp::socket socket);
  void on_closed(uint64_t id);
  void stop_accepting();
  void wait_for_signal();
  void wait_for_hangup();
  void request_stop();
  void for_each_connection(const std::function<void(Connection&)>& act);
  void finish_generating(LLMEngine& engine);
  bool wait_until_closed(std::chrono::nanoseconds timeout);

  const ServerConfig config;
  const Clock& clock;
  Api api;
  std::unique_ptr<TlsContext> tls;
  std::unique_ptr<Tracing> tracing;  // null: requests are not traced
  ConnectionHost host;
  uint16_t port = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<uint64_t, std::weak_ptr<Connection>> connections;  // not destroyed yet
  uint64_t next_id = 1;
  bool accept_waits = false;  // max_connections are open
  bool stop_requested = false;
  bool ending = false;

  asio::io_context io;  // destroyed before what its handlers use
  asio::executor_work_guard<asio::io_context::executor_type> work;
  tcp::acceptor acceptor;  // on a strand of its own
  asio::steady_timer accept_pause;
  asio::signal_set signals;
  asio::signal_set hangups;
  asio::thread_pool workers;  // destroyed before io, which has the sockets of what waits for it
  std::vector<std::thread> worker_threads;
  std::thread thread;  // of io: reads, writes and signals, none of which takes long
};

HttpServer::Impl::~Impl() {
  {
    std::lock_guard lock(mutex);
    ending = true;
  }
  workers.stop();
  workers.join();
  for (auto& worker : worker_threads) worker.join();
  io.stop();
  if (thread.joinable()) thread.join();
}

Expected<> HttpServer::Impl::listen() {
  const auto endpoint = resolve(config);
  if (!endpoint) return std::unexpected(endpoint.error());
  boost::system::error_code error;
  const auto step = [&](auto&& act) {
    if (!error) act();
  };
  step([&] { acceptor.open(endpoint->protocol(), error); });
  step([&] { acceptor.set_option(tcp::acceptor::reuse_address(true), error); });
  step([&] { acceptor.bind(*endpoint, error); });
  step([&] { acceptor.listen(tcp::acceptor::max_listen_connections, error); });
  step([&] { port = acceptor.local_endpoint(error).port(); });
  if (!error) return {};
  const std::string_view advice =
      error == asio::error::address_in_use  ? "; another --port, or 0 for any that is free, does"
      : error == asio::error::access_denied ? "; ports below 1024 are for root: take another --port"
      : error == boost::system::errc::address_not_available
          ? "; --host takes an address of this machine, 0.0.0.0 is all of them"
          : "";
  return fail(ErrorCode::kIo, "cannot listen on {} port {}: {}{}", config.host, config.port,
              error.message(), advice);
}

Expected<> HttpServer::Impl::open_tls() {
  if (config.ssl_certfile.empty()) return {};
  auto opened = TlsContext::open({config.ssl_certfile, config.ssl_keyfile, config.ssl_keyfile_password});
  if (!opened) return std::unexpected(opened.error());
  tls = std::move(*opened);
  host.tls = tls.get();
  return {};
}

Expected<> HttpServer::Impl::read_keys() {
  if (config.api_key_file.empty()) return {};
  return api.read_keys([this] { return read_api_key_file(config.api_key_file); });
}

void HttpServer::Impl::reload() {
  const auto tell = [](std::string_view what, const std::string& file, const Expected<>& read) {
    if (read) return LOG(info, "SIGHUP: read the {} in {} again", what, file);
    LOG(error, "SIGHUP: the {} stay as they were: {}", what, read.error().message);
  };
  if (!can_reload()) LOG(info, "SIGHUP: there is no file to read again");
  if (tls) tell("certificates", config.ssl_certfile, tls->reload());
  if (!config.api_key_file.empty()) tell("API keys", config.api_key_file, read_keys());
}

void HttpServer::Impl::run_threads() {
  for (int32_t i = 0; i < config.http_threads; ++i) {
    worker_threads.emplace_back([this] {
      set_thread_name("quire-requests");
      workers.attach();
    });
  }
  thread = std::thread([this] {
    set_thread_name("quire-http");
    while (!io.stopped()) {
      try {
        io.run();
      } catch (const std::exception& error) {  // out of memory: that connection is gone, the others go on
        LOG(error, "an HTTP handler failed: {}", error.what());
      }
    }
  });
  asio::post(acceptor.get_executor(), [this] { accept(); });
}

// On the acceptor's strand.
void HttpServer::Impl::accept() {
  if (!acceptor.is_open()) return;
  {
    std::lock_guard lock(mutex);
    accept_waits = connections.size() >= static_cast<size_t>(config.max_connections);
    if (accept_waits) return;
  }
  acceptor.async_accept(asio::make_strand(io), [this](boost::system::error_code error, tcp::socket socket) {
    on_accept(error, std::move(socket));
  });
}

void HttpServer::Impl::on_accept(boost::system::error_code error, tcp::socket socket) {
  if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
  if (error) {
    LOG(warn, "cannot accept a connection: {}", error.message());
    accept_pause.expires_after(kAcceptPause);
    accept_pause.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) accept();
    });
    return;
  }
  uint64_t id = 0;
  {
    std::lock_guard lock(mutex);
    id = next_id++;
    connections.emplace(id, std::weak_ptr<Connection>());
  }
  std::shared_ptr<Connection> connection;
  try {
    connection = Connection::start(id, std::move(socket), host);
  } catch (const std::exception& failure) {  // out of memory: the others go on
    LOG(error, "a connection cannot be taken: {}", failure.what());
    on_closed(id);
  }
  {
    std::lock_guard lock(mutex);
    if (const auto entry = connections.find(id); entry != connections.end()) entry->second = connection;
  }
  accept();
}

void HttpServer::Impl::on_closed(uint64_t id) {
  std::lock_guard lock(mutex);
  connections.erase(id);
  changed.notify_all();
  if (!std::exchange(accept_waits, false) || ending) return;
  asio::post(acceptor.get_executor(), [this] { accept(); });
}

void HttpServer::Impl::stop_accepting() {
  std::promise<void> closed;
  asio::post(acceptor.get_executor(), [this, &closed] {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    accept_pause.cancel();
    closed.set_value();
  });
  closed.get_future().wait();
}

void HttpServer::Impl::wait_for_signal() {
  signals.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    {
      std::lock_guard lock(mutex);
      if (stop_requested) {
        LOG(warn, "{} again: ending at once", signal == SIGINT ? "SIGINT" : "SIGTERM");
        std::_Exit(128 + signal);
      }
    }
    LOG(info, "{}: finishing what runs, for at most {} s", signal == SIGINT ? "SIGINT" : "SIGTERM",
        config.shutdown_timeout);
    request_stop();
    wait_for_signal();
  });
}

// SIGHUP: files are read again that may change while the server runs.
void HttpServer::Impl::wait_for_hangup() {
  hangups.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    asio::post(workers, [this] { reload(); });
    wait_for_hangup();
  });
}

void HttpServer::Impl::request_stop() {
  std::lock_guard lock(mutex);
  stop_requested = true;
  changed.notify_all();
}

void HttpServer::Impl::for_each_connection(const std::function<void(Connection&)>& act) {
  std::vector<std::shared_ptr<Connection>> open;
  {
    std::lock_guard lock(mutex);
    for (const auto& [id, weak] : connections) {
      if (auto connection = weak.lock()) open.push_back(std::move(connection));
    }
  }
  for (const auto& connection : open) act(*connection);
}

// Within shutdown_timeout. Meanwhile probes still come, on new connections. What a worker reads and what
// waits for a grammar was taken, too: the engine takes it until all of it has come.
void HttpServer::Impl::finish_generating(LLMEngine& engine) {
  api.drain();
  const auto timeout = std::chrono::duration<double>(config.shutdown_timeout);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  api.wait_for_pending(std::chrono::duration_cast<std::chrono::nanoseconds>(timeout));
  const std::chrono::duration<double> left = deadline - std::chrono::steady_clock::now();
  engine.drain(left.count());
}

bool HttpServer::Impl::wait_until_closed(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, timeout, [this] { return connections.empty(); });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Expected<std::unique_ptr<HttpServer>> HttpServer::bind(const ServerConfig& config, const Clock& clock,
                                                       MetricsRegistry& metrics) {
  if (auto checked = validate(config); !checked) return std::unexpected(checked.error());
  ServerConfig allowed = config;
  allowed.max_connections = allow_connections(config.max_connections);
  if (allowed.max_connections < config.max_connections) {
    LOG(warn, "at most {} of {} connections at once: the system allows no more open files (ulimit -n)",
        allowed.max_connections, config.max_connections);
  }
  auto impl = std::make_unique<Impl>(allowed, clock, metrics);
  if (auto opened = impl->open_tls(); !opened) return std::unexpected(opened.error());
  if (auto read = impl->read_keys(); !read) return std::unexpected(read.error());
  if (auto listening = impl->listen(); !listening) return std::unexpected(listening.error());
  // From here on, while a model is loaded too. Where nothing can be read again SIGHUP ends the process, so
  // that a server goes with its terminal; but a service manager means it as a reload.
  if (impl->can_reload() || has_service_manager()) {
    impl->hangups.add(SIGHUP);
    impl->wait_for_hangup();
  }
  impl->run_threads();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Expected<> HttpServer::check_files(const ServerConfig& config) {
  if (!config.ssl_certfile.empty()) {
    const auto tls =
        TlsContext::open({config.ssl_certfile, config.ssl_keyfile, config.ssl_keyfile_password});
    if (!tls) return std::unexpected(tls.error());
  }
  if (config.api_key_file.empty()) return {};
  const auto keys = read_api_key_file(config.api_key_file);
  return keys ? Expected<>() : std::unexpected(keys.error());
}

uint16_t HttpServer::port() const { return impl_->port; }

std::string HttpServer::url() const {
  const std::string& host = impl_->config.host;
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", impl_->tls ? "https" : "http", ipv6 ? "[" : "", host,
                     ipv6 ? "]" : "", impl_->port);
}

Expected<> HttpServer::serve(EngineHandle& engine) {
  Impl& impl = *impl_;
  const ServedModel model(
      engine, served_model_names(impl.config, engine.config), impl.clock,
      {.tool_calls = impl.config.tool_call_parser, .reasoning = impl.config.reasoning_parser});
  if (const auto& path = impl.config.prefix_file;
      !path.empty()) {  // a signal still ends the process at once
    if (auto pinned = pin_prefix_file(model, path, impl.api.num_keys()); !pinned) return pinned;
  }
  impl.signals.add(SIGINT);
  impl.signals.add(SIGTERM);
  impl.wait_for_signal();
  impl.api.serve(model);
  LOG(info, "serving {} at {}", model.names.front(), url());
  notify_service_manager(fmt::format("READY=1\nSTATUS=serving {} at {}", model.names.front(), url()));
  {
    std::unique_lock lock(impl.mutex);
    impl.changed.wait(lock, [&] { return impl.stop_requested; });
  }
  notify_service_manager("STOPPING=1\nSTATUS=finishing what runs");
  impl.finish_generating(*engine.engine);
  impl.stop_accepting();  // so that no connection comes after those that are waited for
  impl.for_each_connection([](Connection& connection) { connection.finish(); });
  if (!impl.wait_until_closed(kCloseGrace)) {
    do {
      impl.for_each_connection([](Connection& connection) { connection.kill(); });
    } while (!impl.wait_until_closed(std::chrono::seconds(1)));
  }
  impl.api.stop_background();
  asio::post(impl.acceptor.get_executor(), [&impl] {
    boost::system::error_code ignored;
    impl.signals.clear(ignored);
  });
  LOG(info, "served; goodbye");
  return {};
}

void HttpServer::stop() { impl_->request_stop(); }

}  // namespace quire
