#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "tests/base/temp_folder.h"
#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

constexpr const char* kLong = R"({"prompt": "abc", "max_tokens": 100})";

class ServerTest : public LiveServer {};

TEST_F(ServerTest, WhileTheModelIsLoadedOnlyLiveAnswers) {
  const SystemClock clock;
  MetricsRegistry metrics("");
  auto bound = HttpServer::bind(config, clock, metrics);
  ASSERT_TRUE(bound);
  TestClient client((*bound)->port());
  EXPECT_EQ(client.get("/live").status, 200);
  const auto ready = client.get("/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.headers.at("retry-after"), "1");
  EXPECT_THAT(client.post("/v1/completions", kLong).body, HasSubstr("\"loading\""));
}

TEST_F(ServerTest, SighupReadsKeysAgainWhileTheModelIsLoadedToo) {
  const TempFolder folder;
  config.api_key_file = folder.file("keys.yaml");
  const auto put_key = [&](const char* key) {
    std::ofstream(config.api_key_file) << fmt::format("keys:\n  - name: alice\n    key: {}\n", key);
  };
  put_key("old");
  const SystemClock clock;
  MetricsRegistry metrics("");
  auto bound = HttpServer::bind(config, clock, metrics);
  ASSERT_TRUE(bound);
  TestClient client((*bound)->port());
  const auto status_with_new_key = [&] {
    client.send(get_request("/v1/models", "Authorization: Bearer new\r\n"));
    return client.read_response().status;
  };
  EXPECT_EQ(status_with_new_key(), 401);
  put_key("new");
  std::raise(SIGHUP);
  while (status_with_new_key() == 401) std::this_thread::yield();
  EXPECT_EQ(status_with_new_key(), 503);
}

TEST_F(ServerTest, SighupIsLeftAloneWhereThereIsNothingToReadAgain) {
  std::signal(SIGHUP, SIG_DFL);
  const auto means = [] {
    struct sigaction now {};
    sigaction(SIGHUP, nullptr, &now);
    return now.sa_handler;
  };
  const SystemClock clock;
  const auto changes = [&] {
    MetricsRegistry metrics("");
    const auto bound = HttpServer::bind(config, clock, metrics);
    EXPECT_TRUE(bound);
    return means() != SIG_DFL;
  };
  EXPECT_FALSE(changes());
  ASSERT_EQ(setenv("NOTIFY_SOCKET", "@quire-test-reload", 1), 0);
  EXPECT_TRUE(changes());
  unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(means(), SIG_DFL);  // when the server is gone
  const TempFolder folder;
  config.api_key_file = folder.file("keys.yaml");
  std::ofstream(config.api_key_file) << "keys: [{name: alice, key: a}]\n";
  EXPECT_TRUE(changes());
}

TEST_F(ServerTest, AnAddressInUseIsAClearError) {
  start();
  ServerConfig second = config;
  second.port = server->port();
  const auto bound = HttpServer::bind(second, model->clock, model->metrics);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, ErrorCode::kIo);
  EXPECT_THAT(bound.error().message, HasSubstr(fmt::format("127.0.0.1 port {}", second.port)));
  EXPECT_THAT(bound.error().message, HasSubstr("in use"));
}

TEST_F(ServerTest, AHostWithoutAddressIsAClearError) {
  config.host = "no.such.host.invalid";
  const SystemClock clock;
  MetricsRegistry metrics("");
  const auto bound = HttpServer::bind(config, clock, metrics);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().param, "host");
}

TEST_F(ServerTest, TellsItsUrl) {
  start();
  EXPECT_EQ(server->url(), fmt::format("http://127.0.0.1:{}", server->port()));
}

TEST_F(ServerTest, DrainingLetsWhatRunsFinishAndTakesNothingNew) {
  start();
  TestClient kept(server->port()), generating(server->port()), running(server->port());
  EXPECT_EQ(kept.get("/ready").status, 200);
  EXPECT_EQ(generating.get("/ready").status, 200);
  model->gate->close();
  running.send(post_request("/v1/completions", kLong));
  model->gate->let_pass(1);
  model->wait_for_running(1);
  stop();
  ClientResponse ready = kept.get("/ready");
  while (ready.status == 200) ready = kept.get("/ready");  // until the server has seen it
  EXPECT_EQ(ready.status, 503);
  TestClient probe(server->port());  // as probes do, on a connection of its own
  EXPECT_EQ(probe.get("/ready").status, 503);
  EXPECT_EQ(TestClient(server->port()).get("/health").status, 503);
  EXPECT_EQ(TestClient(server->port()).get("/live").status, 200);
  EXPECT_EQ(TestClient(server->port()).post("/v1/completions", kLong).status, 503);
  const auto refused = generating.post("/v1/completions", kLong);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  EXPECT_THAT(refused.body, HasSubstr("\"draining\""));
  model->gate->open();
  const auto finished = running.read_response();
  EXPECT_EQ(finished.status, 200);
  EXPECT_THAT(finished.body, HasSubstr("\"completion_tokens\":100"));
  wait_until_stopped();
}

TEST_F(ServerTest, IdleConnectionsEndWithTheServer) {
  start();
  TestClient idle(server->port());
  EXPECT_EQ(idle.get("/live").status, 200);
  stop();
  wait_until_stopped();
  EXPECT_TRUE(idle.reads_end());
}

// Requests that would run for a long time.
class LongRequests : public ServerTest {
 protected:
  LongRequests() {
    model_options.num_blocks = 200'000;
    model_options.max_model_len = 3'000'000;
    config.shutdown_timeout = 0.05;
  }

  static std::string request(bool stream) {
    return post_request("/v1/completions",
                        fmt::format(R"({{"prompt": "abc", "max_tokens": 1000000, "stream": {}}})",
                                    stream ? "true" : "false"));
  }
};

TEST_F(LongRequests, WhatDoesNotFinishInTimeIsTold) {
  start();
  TestClient whole(server->port()), stream(server->port());
  whole.send(request(false));
  stream.send(request(true));
  EXPECT_TRUE(stream.read_until("data: {\"id\""));
  model->wait_for_running(2);
  stop();
  const auto aborted = whole.read_response();
  EXPECT_EQ(aborted.status, 503);
  EXPECT_THAT(aborted.body, HasSubstr("shutting down"));
  EXPECT_TRUE(stream.read_until("data: {\"error\""));
  EXPECT_TRUE(stream.read_until("data: [DONE]"));
  wait_until_stopped();
}

TEST_F(LongRequests, SigtermDrains) {
  start();
  TestClient client(server->port());
  client.send(request(false));
  model->wait_for_running(1);
  std::raise(SIGTERM);
  wait_until_stopped();
  EXPECT_EQ(client.read_response().status, 503);
}

using ServerDeathTest = LongRequests;

TEST_F(ServerDeathTest, ASecondSignalEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  config.shutdown_timeout = 60;
  EXPECT_EXIT(
      {
        start();
        TestClient client(server->port());
        client.send(request(false));
        model->wait_for_running(1);
        TestClient probe(server->port());
        std::raise(SIGTERM);
        while (probe.get("/ready").status == 200) {
        }
        std::raise(SIGTERM);
        wait_until_stopped();
      },
      testing::ExitedWithCode(143), "");
}

}  // namespace
}  // namespace quire
