// A server on a free port of the loopback, in front of the echo model.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "server/server.h"
#include "tests/server/echo_model_fixture.h"
#include "tests/server/test_client_fixture.h"

namespace quire {

class LiveServer : public testing::Test {
 protected:
  // What a test may wish for; then start().
  EchoModelOptions model_options;
  ServerConfig config;

  LiveServer();
  ~LiveServer() override;

  void start();
  // As SIGTERM; wait_until_stopped() returns when serve() has.
  void stop() { server->stop(); }
  void wait_until_stopped();

  TestClient connect() const { return TestClient(server->port()); }

  std::unique_ptr<EchoModel> model;
  std::unique_ptr<HttpServer> server;

 private:
  std::thread serving_;
};

}  // namespace quire
