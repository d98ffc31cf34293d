#include "tests/server/live_server_fixture.h"

#include "base/log.h"

namespace quire {

LiveServer::LiveServer() {
  config.port = 0;
  config.log_requests = false;
  config.shutdown_timeout = 20;
}

LiveServer::~LiveServer() {
  if (!server) return;
  if (model) model->gate->open();
  server->stop();
  wait_until_stopped();
  if (model) model->expect_baseline();
  server.reset();
}

void LiveServer::start() {
  ASSERT_TRUE(init_log("error"));  // before any thread logs, as main does
  model = std::make_unique<EchoModel>(model_options);
  auto bound = HttpServer::bind(config, model->clock, model->metrics);
  ASSERT_TRUE(bound) << bound.error().message;
  server = std::move(*bound);
  serving_ = std::thread([this] { server->serve(model->handle); });
  // Ready is when the API has the model; until then it says 503.
  TestClient probe(server->port());
  while (probe.get("/ready").status == 503) {
  }
}

void LiveServer::wait_until_stopped() {
  if (serving_.joinable()) serving_.join();
}

}  // namespace quire
