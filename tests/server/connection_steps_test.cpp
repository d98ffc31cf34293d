// A connection whose threads are the test's: what is to be done on its strand, on a worker and in the engine
// is done when the test says so.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include "server/connection.h"
#include "server/trace/request_tracer.h"
#include "server/trace/span_exporter.h"
#include "tests/grammar/compile_gate.h"
#include "tests/server/echo_model_fixture.h"
#include "tests/server/test_client_fixture.h"

namespace quire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;

class ConnectionSteps : public testing::Test {
 protected:
  ConnectionSteps() { api.serve(served); }
  void TearDown() override { gate->open(); }

  static EchoModelOptions stepped(std::shared_ptr<CompileGate>& gate) {
    EchoModelOptions options;
    gate = CompileGate::add_to(options.grammars);
    options.start = false;
    options.max_model_len = 1024;
    options.num_blocks = 256;
    return options;
  }

  // Starts the connection of a client.
  std::unique_ptr<TestClient> connect() {
    auto client = std::make_unique<TestClient>(acceptor.local_endpoint().port());
    tcp::socket socket = acceptor.accept(asio::any_io_executor(asio::make_strand(io)));
    descriptor = socket.native_handle();
    connection = Connection::start(1, std::move(socket), host);
    return client;
  }

  // Does what is ready to be done on the strand, and nothing elsewhere.
  void run_strand() {
    io.restart();
    io.poll();
  }
  // Reads what the client has sent; a request that is whole then is a worker's.
  void give_to_worker() {
    pollfd socket{descriptor, POLLIN, 0};
    ASSERT_EQ(::poll(&socket, 1, 30'000), 1);
    run_strand();
    run_strand();
  }
  // Waits until something is given to a worker, and does that there.
  void run_worker() {
    size_t done = 0;
    for (int i = 0; done == 0 && i < 3000; ++i) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
      workers.restart();
      done = workers.poll_one();
    }
    ASSERT_EQ(done, 1u) << "nothing came for the workers";
  }
  bool worker_is_idle() {
    workers.restart();
    return workers.poll_one() == 0;
  }
  void run_engine() {
    while (model.handle.engine->step()) {
    }
  }
  void wait_for_clients_end() const {
    pollfd socket{descriptor, POLLRDHUP, 0};
    ASSERT_EQ(::poll(&socket, 1, 30'000), 1);
  }
  bool ended(std::string_view reason) const {
    const std::string metrics = model.metrics.render();
    return metrics.find(fmt::format("finished_reason=\"{}\"}} 1\n", reason)) != std::string::npos;
  }

  struct WideModel : EchoModel {
    explicit WideModel(std::shared_ptr<CompileGate>& gate) : EchoModel(stepped(gate)) {
      handle.model.hidden_size = 1024;
    }
  };
  std::shared_ptr<CompileGate> gate;
  WideModel model{gate};
  ServerConfig config = [] {
    ServerConfig config;
    config.log_requests = false;
    return config;
  }();
  Api api{config, model.clock, model.metrics};
  ServedModel served{model.handle, {"echo"}, model.clock, {}};
  int num_closed = 0;
  asio::io_context workers;
  ConnectionHost host{.config = config,
                      .api = api,
                      .clock = model.clock,
                      .tracer = nullptr,
                      .workers = workers.get_executor(),
                      .on_closed = [this](uint64_t) { ++num_closed; }};
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  int descriptor = -1;
  std::weak_ptr<Connection> connection;
};

constexpr const char* kShort = R"({"prompt": "abc", "max_tokens": 2})";
// An answer of so many numbers that a worker writes it.
constexpr const char* kMuch = R"({"prompt": "abc", "max_tokens": 500, "logprobs": 20})";

// Nobody would own such a connection any longer, so its request ends in any case; but it is also told of.
TEST_F(ConnectionSteps, WhoLeavesWhileAWorkerReadsTheNextRequestIsNoticed) {
  MetricsRegistry counts("");
  auto exporter =
      std::make_unique<SpanExporter>(OtlpEndpoint{"127.0.0.1", 1}, "test", counts);  // nobody is there
  RequestTracer tracer(*exporter, model.clock);
  host.tracer = &tracer;
  const auto client = connect();
  client->send(post_request("/v1/completions", kShort) + post_request("/v1/completions", kShort));
  run_worker();
  run_strand();
  run_engine();
  run_strand();  // writes the first answer and gives the second request to a worker
  EXPECT_EQ(client->read_response().status, 200);
  client->close();
  wait_for_clients_end();
  run_strand();
  run_worker();
  run_strand();
  run_engine();
  EXPECT_TRUE(ended("abort")) << model.metrics.render();
  EXPECT_EQ(num_closed, 1);
  exporter.reset();
  // The first request with its queue, prefill and decode, and the second one.
  EXPECT_THAT(counts.render(), HasSubstr("quire:spans_dropped_total{} 5\n"));
}

constexpr const char* kHeld = R"({"prompt": "held<|end|>", "guided_choice": ["held"]})";

// From when it has come whole: a worker is yet to read it, then its grammar is compiled.
TEST_F(ConnectionSteps, WhatHasComeBeforeTheServerEndsIsWaitedFor) {
  const auto client = connect();
  client->send(post_request("/v1/completions", kHeld));
  give_to_worker();
  api.drain();
  EXPECT_FALSE(api.wait_for_pending(std::chrono::nanoseconds(0)));
  run_worker();
  run_strand();
  EXPECT_FALSE(api.wait_for_pending(std::chrono::nanoseconds(0)));
  gate->open();
  while (!api.wait_for_pending(std::chrono::nanoseconds(0))) run_strand();
  run_engine();
  run_strand();
  const auto answer = client->read_response();
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(ConnectionSteps, WhatHasComeInPartWhenTheServerEndsIsRefused) {
  const auto client = connect();
  const std::string request = post_request("/v1/completions", kHeld);
  client->send(request.substr(0, request.size() - 1));
  give_to_worker();
  api.drain();
  EXPECT_TRUE(api.wait_for_pending(std::chrono::nanoseconds(0)));
  client->send("}");
  give_to_worker();
  const auto answer = client->read_response();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("draining"));
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(worker_is_idle());
}

// Where the wait was over first: no run of the request was there yet to be told.
TEST_F(ConnectionSteps, WhatIsReadWhileConnectionsFinishIsFinishedToo) {
  const auto client = connect();
  client->send(post_request("/v1/completions", kHeld));
  give_to_worker();
  api.drain();
  connection.lock()->finish();
  run_strand();
  run_worker();
  run_strand();
  const auto answer = client->read_response();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("draining"));
}

TEST_F(ConnectionSteps, ALongAnswerIsWrittenOnAWorker) {
  const auto client = connect();
  client->send(post_request("/v1/completions", kMuch));
  run_worker();
  run_strand();
  run_engine();
  run_strand();
  run_worker();
  run_strand();
  const auto answer = client->read_response();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\"completion_tokens\":500"));
  client->send(post_request("/v1/completions", kShort));  // which does without
  run_worker();
  run_strand();
  run_engine();
  run_strand();
  EXPECT_TRUE(worker_is_idle());
  EXPECT_EQ(client->read_response().status, 200);
}

TEST_F(ConnectionSteps, WhatComesAfterAWorkerHasLookedIsTakenToo) {
  const auto client = connect();
  client->send(post_request("/v1/completions", kMuch));
  run_worker();
  run_strand();
  for (int i = 0; i < 450; ++i) ASSERT_TRUE(model.handle.engine->step());
  run_strand();
  run_worker();  // much is there already, but not all
  run_engine();
  run_strand();
  run_worker();
  run_strand();
  EXPECT_THAT(client->read_response().body, HasSubstr("\"completion_tokens\":500"));
}

TEST_F(ConnectionSteps, WhoLeavesWhileAWorkerWritesIsNoticed) {
  const auto client = connect();
  client->send(post_request("/v1/completions", kMuch));
  run_worker();
  run_strand();
  for (int i = 0; i < 450; ++i) ASSERT_TRUE(model.handle.engine->step());
  run_strand();
  client->close();
  wait_for_clients_end();
  run_strand();
  EXPECT_EQ(num_closed, 0) << "the worker has it";
  run_worker();
  run_strand();
  EXPECT_EQ(num_closed, 1);
  run_engine();
  EXPECT_TRUE(ended("abort")) << model.metrics.render();
}

TEST_F(ConnectionSteps, ManyEmbeddingsAreWrittenOnAWorker) {
  for (const size_t count : {4, 16}) {  // of 1,024 numbers
    const auto client = connect();
    const std::vector<std::string> inputs(count, "[1]");
    client->send(
        post_request("/v1/embeddings", fmt::format(R"({{"input": [{}]}})", fmt::join(inputs, ","))));
    run_worker();
    run_strand();
    run_engine();
    run_strand();
    if (count == 16) run_worker();
    EXPECT_TRUE(worker_is_idle());
    run_strand();
    EXPECT_EQ(client->read_response().status, 200);
  }
}

}  // namespace
}  // namespace quire
