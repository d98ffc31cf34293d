// Requests whose grammars are being compiled, and those beside them. What the echo model answers is its
// prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/grammar/compile_gate.h"
#include "tests/server/api_fixture.h"
#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

std::string choice_request(std::string_view text, std::string_view members = "") {
  return fmt::format(R"({{"prompt": "{0}<|end|>", "guided_choice": ["{0}"]{1}}})", text, members);
}

class StructuredServer : public LiveServer {
 protected:
  // Before the server ends, which waits for what is held.
  void TearDown() override { gate_->open(); }

  std::shared_ptr<CompileGate> gate_ = CompileGate::add_to(model_options.grammars);
};

// With one thread for all requests: those that wait for their grammars do not hold it.
TEST_F(StructuredServer, OthersAreAnsweredWhileGrammarsAreCompiled) {
  config.http_threads = 1;
  model_options.max_queue = 32;
  start();
  TestClient first(server->port());
  first.send(post_request("/v1/completions", choice_request("held")));
  gate_->wait_for_held(1);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    const char* members = i % 2 == 0 ? "" : R"(, "stream": true)";
    clients.back()->send(
        post_request("/v1/completions", choice_request(fmt::format("text {}", i), members)));
  }
  TestClient plain(server->port());
  EXPECT_EQ(plain.post("/v1/completions", R"({"prompt": "abc", "max_tokens": 3})").status, 200);
  gate_->open();
  const auto held = first.read_response();
  EXPECT_EQ(held.status, 200);
  EXPECT_THAT(held.body, HasSubstr(R"("text":"held")"));
  for (int i = 0; i < 16; ++i) {
    const auto answer = clients[static_cast<size_t>(i)]->read_response();
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string expected = i % 2 == 0 ? fmt::format(R"("text":"text {}")", i) : "[DONE]";
    EXPECT_THAT(answer.body, HasSubstr(expected));
  }
}

TEST_F(StructuredServer, WhatWaitsForItsGrammarIsAnsweredBeforeTheServerEnds) {
  model_options.grammars.num_threads = 2;
  start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (const char* members : {"", R"(, "stream": true)"}) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    const std::string text = fmt::format("held {}", clients.size());
    clients.back()->send(post_request("/v1/completions", choice_request(text, members)));
  }
  TestClient kept(server->port());
  gate_->wait_for_held(2);
  stop();
  while (kept.get("/ready").status == 200) {  // until the server has seen it
  }
  EXPECT_EQ(TestClient(server->port()).post("/v1/completions", choice_request("late")).status, 503);
  gate_->open();
  for (const auto& client : clients) {
    const auto answer = client->read_response();
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(R"("finish_reason":"stop")"));
  }
  wait_until_stopped();
}

TEST_F(StructuredServer, TheServerEndsWhileAGrammarIsCompiled) {
  config.shutdown_timeout = 0.05;
  start();
  TestClient client(server->port());
  client.send(post_request("/v1/completions", choice_request("held")));
  gate_->wait_for_held(1);
  stop();
  const auto answer = client.read_response();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("draining"));
  wait_until_stopped();
  EXPECT_FALSE(model->handle.grammars->stop(std::chrono::milliseconds(0)));
}

TEST_F(StructuredServer, AfterKeepingProxiesPatientAFailureIsAnEvent) {
  config.stream_keep_alive = 0.01;
  start();
  TestClient client(server->port());
  client.send(
      post_request("/v1/completions",
                   R"({"prompt": "a", "guided_grammar": "root ::= missing # held", "stream": true})"));
  EXPECT_TRUE(client.read_until("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(client.read_until("\r\n: still here\n\n\r\n"));
  gate_->open();
  EXPECT_TRUE(client.read_until("event: error\ndata: {\"error\":{\"message\":\"guided_grammar"));
  EXPECT_TRUE(client.read_until("}\n\n\r\n0\r\n\r\n"));
  EXPECT_EQ(client.post("/v1/completions", R"({"prompt": "a", "max_tokens": 1})").status, 200);
}

TEST_F(StructuredServer, WhatCannotBeCompiledIsAPlainError) {
  start();
  TestClient client(server->port());
  for (const char* stream : {"false", "true"}) {
    const auto answer = client.post(
        "/v1/completions",
        fmt::format(R"({{"prompt": "a", "guided_grammar": "root ::= missing # {0}", "stream": {0}}})",
                    stream));
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr(R"("param":"guided_grammar")"));
    EXPECT_THAT(answer.body, HasSubstr("missing"));
  }
}

EchoModelOptions with_gate(std::shared_ptr<CompileGate>& gate, GrammarCompilerOptions grammars) {
  EchoModelOptions options;
  gate = CompileGate::add_to(grammars);
  options.grammars = std::move(grammars);
  return options;
}

class StructuredApi : public ApiFixture {
 protected:
  StructuredApi() : ApiFixture(with_gate(gate_, {.max_waiting = 1, .max_wait_ms = 1000})) {}
  void TearDown() override { gate_->open(); }

  static std::shared_ptr<CompileGate> gate_;
};
std::shared_ptr<CompileGate> StructuredApi::gate_;

TEST_F(StructuredApi, AFullQueueAndALongWaitSayWhenToComeAgain) {
  const RequestHead head{HttpMethod::kPost, "/v1/completions", {}, "application/json"};
  auto first = api.handle(head, choice_request("held"));
  gate_->wait_for_held(1);
  auto& run = *std::get<std::unique_ptr<AnswerRun>>(first);
  std::string body;
  EXPECT_EQ(run.advance(body), AnswerRun::Progress::kMore);
  // It waits for its turn in vain.
  const Answer second = post("/v1/completions", choice_request("second"));
  EXPECT_EQ(second.status(), 503);
  EXPECT_THAT(second.body(), HasSubstr("try again"));
  gate_->open();
  while (run.advance(body) == AnswerRun::Progress::kMore) model.handle.engine->step();
  EXPECT_THAT(body, HasSubstr(R"("text":"held")"));
}

class FullApi : public ApiFixture {
 protected:
  FullApi() : ApiFixture(with_gate(gate_, {.max_waiting = 1})) {}
  void TearDown() override { gate_->open(); }

  static std::shared_ptr<CompileGate> gate_;
};
std::shared_ptr<CompileGate> FullApi::gate_;

TEST_F(FullApi, AFullQueueIsA429) {
  const RequestHead head{HttpMethod::kPost, "/v1/completions", {}, "application/json"};
  auto first = api.handle(head, choice_request("held"));
  gate_->wait_for_held(1);
  auto second = api.handle(head, choice_request("second"));
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<AnswerRun>>(second));
  auto third = api.handle(head, choice_request("third"));
  ASSERT_TRUE(std::holds_alternative<HttpResponse>(third));
  const auto& response = std::get<HttpResponse>(third);
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Retry-After", "1")));
  second = HttpResponse();  // its client leaves
  third = api.handle(head, choice_request("third"));
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<AnswerRun>>(third));
}

}  // namespace
}  // namespace quire
