// /v1/responses with `background`. EchoModel answers by repeating the prompt from its start; tests step it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/server/api_fixture.h"
#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class BackgroundApiTest : public ApiFixture {
 protected:
  ~BackgroundApiTest() override { api.stop_background(); }

  Answer begin(std::string_view members) const {
    return post("/v1/responses", fmt::format(R"({{"background": true, {}}})", members));
  }
  Answer stored(const std::string& id) const { return get("/v1/responses/" + id); }
  Answer cancel(const std::string& id) const { return post("/v1/responses/" + id + "/cancel", {}); }
  Answer remove(const std::string& id) const {
    return call(HttpMethod::kDelete, "/v1/responses/" + id, {});
  }
  // Until the response has this status; the engine works meanwhile if it `steps`.
  Answer wait_for(const std::string& id, std::string_view status, bool steps = true) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (true) {
      if (steps) model.handle.engine->step();
      Answer answer = stored(id);
      if (answer.at("/status") == status) return answer;
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "it never is " << status << ": " << answer.body();
        return answer;
      }
      std::this_thread::yield();
    }
  }
  // One of 101 tokens that has been begun.
  std::string begun() const {
    const Answer answer = begin(fmt::format(R"("input": "{}")", std::string(100, 'x')));
    const std::string id = answer.at("/id");
    while (model.handle.engine->stats().num_steps < 4) model.handle.engine->step();
    wait_for(id, "in_progress", false);
    return id;
  }
};

TEST_F(BackgroundApiTest, IsAnsweredAtOnceAndCompletedLater) {
  const Answer queued = begin(R"("input": "hello", "metadata": {"a": "b"}, "instructions": "Be brief.")");
  ASSERT_EQ(queued.status(), 200) << queued.body();
  EXPECT_EQ(queued.at("/status"), "queued");
  EXPECT_EQ(queued.at("/background"), "true");
  EXPECT_EQ(queued.at("/output"), "[]");
  EXPECT_EQ(queued.at("/usage"), "null");
  EXPECT_EQ(queued.at("/metadata"), R"({"a":"b"})");
  const std::string id = queued.at("/id");
  EXPECT_EQ(stored(id).body(), queued.body());
  EXPECT_EQ(get("/v1/responses/" + id + "/input_items").at("/data/0/content/0/text"), "hello");
  const std::string next = fmt::format(R"({{"input": "a", "previous_response_id": "{}"}})", id);
  const Answer early = post("/v1/responses", next);
  EXPECT_EQ(early.status(), 400);
  EXPECT_EQ(early.at("/error/code"), "response_not_completed");
  const Answer done = wait_for(id, "completed");
  EXPECT_EQ(done.at("/output/0/content/0/text"), "Be brief.");
  EXPECT_EQ(done.at("/id"), id);
  EXPECT_EQ(done.at("/created_at"), queued.at("/created_at"));
  EXPECT_EQ(done.at("/background"), "true");
  EXPECT_EQ(done.at("/usage/output_tokens"), "10");
  EXPECT_EQ(get("/v1/responses/" + id + "/input_items").at("/data/0/content/0/text"), "hello");
  EXPECT_EQ(post("/v1/responses", next).status(), 200);
  EXPECT_EQ(cancel(id).body(), done.body());  // nothing is left to cancel
}

TEST_F(BackgroundApiTest, OneThatIsCutOffIsIncomplete) {
  const std::string id = begin(R"("input": "hello", "max_output_tokens": 2)").at("/id");
  EXPECT_EQ(wait_for(id, "incomplete").at("/output/0/content/0/text"), "he");
}

TEST_F(BackgroundApiTest, CancellingEndsTheGeneration) {
  const std::string id = begun();
  EXPECT_EQ(model.handle.engine->stats().num_running, 1);
  const Answer cancelled = cancel(id);
  EXPECT_EQ(cancelled.at("/status"), "cancelled");
  EXPECT_EQ(cancelled.at("/output"), "[]");
  EXPECT_EQ(cancel(id).body(), cancelled.body());
  EXPECT_EQ(stored(id).body(), cancelled.body());
  for (int i = 0; i < 2; ++i) model.handle.engine->step();
  EXPECT_EQ(model.handle.engine->stats().num_running, 0);
  EXPECT_EQ(
      post("/v1/responses", fmt::format(R"({{"input": "a", "previous_response_id": "{}"}})", id)).status(),
      400);
}

TEST_F(BackgroundApiTest, ForgettingEndsTheGeneration) {
  const std::string id = begun();
  EXPECT_EQ(remove(id).status(), 200);
  for (int i = 0; i < 2; ++i) model.handle.engine->step();
  EXPECT_EQ(model.handle.engine->stats().num_running, 0);
  EXPECT_EQ(stored(id).status(), 404);
  EXPECT_EQ(cancel(id).status(), 404);
  EXPECT_EQ(remove(id).status(), 404);
}

TEST_F(BackgroundApiTest, AFailureIsItsStatus) {
  const std::string id = begun();
  model.gate->fail_next_step();
  const Answer failed = wait_for(id, "failed");
  EXPECT_EQ(failed.at("/error/code"), "server_error");
  EXPECT_THAT(failed.at("/error/message"), HasSubstr("could not compute"));
  EXPECT_EQ(cancel(id).body(), failed.body());
}

TEST_F(BackgroundApiTest, OnlyWhatWasMadeSoIsCancelled) {
  const Answer waited = post("/v1/responses", R"({"input": "hello"})");
  EXPECT_EQ(waited.at("/background"), "false");
  const Answer refused = cancel(waited.at("/id"));
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.at("/error/code"), "not_in_background");
  EXPECT_EQ(cancel("resp_0").status(), 404);
}

TEST_F(BackgroundApiTest, WhatItNeedsIsSaid) {
  for (const char* members : {R"("input": "a", "store": false)", R"("input": "a", "stream": true)",
                              R"("input": "a", "background": 1)"}) {
    const Answer refused = post("/v1/responses", fmt::format(R"({{{}, "background": true}})", members));
    EXPECT_EQ(refused.status(), 400) << members;
  }
  EXPECT_EQ(begin(R"("input": "a", "store": false)").at("/error/param"), "background");
  EXPECT_EQ(begin(R"("input": "a", "stream": true)").at("/error/param"), "background");
  EXPECT_EQ(begin(R"("input": [])").at("/error/param"), "input");
}

TEST_F(BackgroundApiTest, CountsAgainstTheLimitsOfItsKey) {
  const std::vector keys{NamedKey{"alice", ApiKeys::digest("a"), {.max_concurrency = 1}},
                         NamedKey{"bob", ApiKeys::digest("b"), {}}};
  ASSERT_TRUE(api.read_keys([&] { return keys; }));
  const auto ask = [&](const char* key, HttpMethod method, const std::string& path, std::string_view body) {
    return answer({method, path, fmt::format("Bearer {}", key), "application/json"}, body);
  };
  constexpr const char* kBody = R"({"input": "hello", "background": true})";
  const Answer first = ask("a", HttpMethod::kPost, "/v1/responses", kBody);
  ASSERT_EQ(first.at("/status"), "queued") << first.body();
  EXPECT_EQ(ask("a", HttpMethod::kPost, "/v1/responses", kBody).status(), 429);
  const std::string path = "/v1/responses/" + first.at("/id");
  EXPECT_EQ(ask("b", HttpMethod::kPost, path + "/cancel", {}).status(), 404);
  EXPECT_EQ(ask("b", HttpMethod::kDelete, path, {}).status(), 404);
  EXPECT_EQ(ask("a", HttpMethod::kPost, path + "/cancel", {}).at("/status"), "cancelled");
  const Answer second = ask("a", HttpMethod::kPost, "/v1/responses", kBody);
  EXPECT_EQ(second.at("/status"), "queued");
  EXPECT_EQ(ask("a", HttpMethod::kDelete, "/v1/responses/" + second.at("/id"), {}).status(), 200);
}

class BackgroundServer : public LiveServer {
 protected:
  std::string begin(size_t length) const {
    TestClient client(server->port());
    const auto answer = client.post(
        "/v1/responses", fmt::format(R"({{"input": "{}", "background": true}})", std::string(length, 'x')));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Answer(200, answer.body).at("/id");
  }
};

// The connection that asked has long gone.
TEST_F(BackgroundServer, DrainingLetsItFinish) {
  start();
  model->gate->close();
  const std::string id = begin(100);
  model->gate->let_pass(3);
  model->wait_for_running(1);
  stop();
  TestClient kept(server->port());
  while (kept.get("/ready").status == 200) {  // until the server has seen it
  }
  EXPECT_THAT(kept.get("/v1/responses/" + id).body, ::testing::Not(HasSubstr(R"("status":"completed")")));
  model->gate->open();
  wait_until_stopped();
  EXPECT_EQ(model->handle.engine->stats().num_running, 0);
}

TEST_F(BackgroundServer, TheServerEndsWhileOneWaitsAndOneRuns) {
  config.shutdown_timeout = 0.05;
  start();
  model->gate->close();
  begin(100);
  begin(20);
  stop();
  model->gate->open();
  wait_until_stopped();
  model->expect_baseline();
}

}  // namespace
}  // namespace quire
