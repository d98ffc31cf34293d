#include "server/connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kLong = R"({"prompt": "abc", "max_tokens": 200})";
constexpr const char* kLongStream = R"({"prompt": "abc", "max_tokens": 200, "stream": true})";

class ConnectionTest : public LiveServer {};

// One request runs for longer than others need to come and wait behind it.
class QueuedRequests : public LiveServer {
 protected:
  QueuedRequests() {
    model_options.num_blocks = 4096;
    model_options.max_model_len = 32768;
    model_options.max_num_seqs = 1;
  }
  void start_running(TestClient& client) {
    model->gate->close();
    client.send(post_request("/v1/completions", R"({"prompt": "abc", "max_tokens": 20000})"));
    model->gate->let_pass(1);
    model->wait_for_running(1);
  }
};

TEST_F(ConnectionTest, EveryEndpointAnswers) {
  start();
  TestClient client(server->port());
  EXPECT_EQ(client.get("/live").status, 200);
  EXPECT_EQ(client.get("/ready").status, 200);
  EXPECT_EQ(client.get("/health").status, 200);
  EXPECT_EQ(client.get("/version").status, 200);
  EXPECT_EQ(client.get("/metrics").status, 200);
  EXPECT_THAT(client.get("/v1/models").body, HasSubstr("\"id\":\"echo\""));
  EXPECT_EQ(client.get("/v1/models/echo").status, 200);
  EXPECT_THAT(client.post("/tokenize", R"({"prompt": "a"})").body, HasSubstr("\"tokens\":[97]"));
  EXPECT_THAT(client.post("/detokenize", R"({"tokens": [97]})").body, HasSubstr("\"prompt\":\"a\""));
  const auto completion = client.post("/v1/completions", R"({"prompt": "abc", "max_tokens": 4})");
  EXPECT_EQ(completion.status, 200);
  EXPECT_EQ(completion.headers.at("content-type"), "application/json");
  EXPECT_THAT(completion.body, HasSubstr("\"text\":\"abca\""));
  const auto chat =
      client.post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "hello"}]})");
  EXPECT_THAT(chat.body, HasSubstr("\"content\":\"hello\""));
  EXPECT_EQ(client.get("/nothing").status, 404);
}

TEST_F(ConnectionTest, EveryAnswerHasTheRequestsName) {
  start();
  TestClient client(server->port());
  client.send(get_request("/live", "X-Request-Id: mine-1\r\n"));
  EXPECT_EQ(client.read_response().headers.at("x-request-id"), "mine-1");
  const std::string first = client.get("/nothing").headers.at("x-request-id");
  EXPECT_EQ(first.size(), 32u);
  client.send(get_request("/live", "X-Request-Id: not mine\r\n"));
  const std::string second = client.read_response().headers.at("x-request-id");
  EXPECT_EQ(second.size(), 32u);
  EXPECT_NE(first, second);
  client.send(post_request("/v1/completions", R"({"prompt": "a", "max_tokens": 2, "stream": true})",
                           "X-Request-Id: mine-2\r\n"));
  EXPECT_EQ(client.read_response().headers.at("x-request-id"), "mine-2");
  client.send("noise\r\n\r\n");
  EXPECT_EQ(client.read_response().headers.at("x-request-id").size(), 32u);
}

TEST_F(ConnectionTest, PagesOfOtherSitesAreAnsweredIfTheyMay) {
  config.allowed_origins = "https://app.example.org";
  start();
  TestClient client(server->port());
  client.send(
      "OPTIONS /v1/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.org\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  const auto allowed = client.read_response(true);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.at("access-control-allow-origin"), "https://app.example.org");
  client.send(post_request("/v1/completions", R"({"prompt": "a", "max_tokens": 2, "stream": true})",
                           "Origin: https://app.example.org\r\n"));
  EXPECT_EQ(client.read_response().headers.at("access-control-allow-origin"), "https://app.example.org");
  client.send(get_request("/nothing", "Origin: https://other.example.org\r\n"));
  const auto other = client.read_response();
  EXPECT_EQ(other.status, 404);
  EXPECT_FALSE(other.headers.contains("access-control-allow-origin"));
}

TEST_F(ConnectionTest, StreamsAreEvents) {
  start();
  TestClient client(server->port());
  for (int round = 0; round < 3; ++round) {  // the connection is kept
    const auto response =
        client.post("/v1/completions", R"({"prompt": "abc", "max_tokens": 50, "stream": true})");
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.headers.at("content-type"), StartsWith("text/event-stream"));
    EXPECT_EQ(response.headers.at("transfer-encoding"), "chunked");
    const auto events = events_of(response.body);
    ASSERT_GE(events.size(), 2u);
    EXPECT_EQ(events.back(), "[DONE]");
    EXPECT_THAT(events[events.size() - 2], HasSubstr("\"finish_reason\":\"length\""));
  }
}

TEST_F(ConnectionTest, DeltasComeAsTheyAreMade) {
  start();
  model->gate->close();
  TestClient client(server->port());
  client.send(post_request("/v1/completions", R"({"prompt": "xyz", "max_tokens": 3, "stream": true})"));
  for (const char* token : {"x", "y", "z"}) {  // each is read before the next may be computed
    model->gate->let_pass(1);
    EXPECT_TRUE(client.read_until(fmt::format("\"text\":\"{}\"", token)));
  }
  EXPECT_TRUE(client.read_until("data: [DONE]\n\n"));
}

TEST_F(ConnectionTest, ASilentStreamSaysThatItIsStillThere) {
  config.stream_keep_alive = 0.01;
  start();
  model->gate->close();
  for (const bool fails : {false, true}) {
    TestClient client(server->port());
    client.send(post_request("/v1/completions", R"({"prompt": "xyz", "max_tokens": 3, "stream": true})"));
    EXPECT_TRUE(client.read_until("HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.read_until("\r\n: still here\n\n\r\n"));
    if (fails) model->gate->fail_next_step();
    model->gate->let_pass(1);
    if (fails) {
      EXPECT_TRUE(client.read_until("data: {\"error\""));
    } else {
      EXPECT_TRUE(client.read_until("\"text\":\"x\""));
      EXPECT_TRUE(client.read_until("\r\n: still here\n\n\r\n"));
      model->gate->let_pass(10);
    }
    EXPECT_TRUE(client.read_until("data: [DONE]\n\n"));
    model->gate->close();
  }
}

// Also where it failed before its first event was due.
TEST_F(ConnectionTest, EventsOfAStreamThatWasSilentAreInOrder) {
  config.stream_keep_alive = 0.01;
  start();
  model->gate->close();
  TestClient client(server->port());
  client.send(post_request("/v1/responses", R"({"input": "xyz", "max_output_tokens": 3, "stream": true})"));
  EXPECT_TRUE(client.read_until(": still here"));
  model->gate->fail_next_step();
  model->gate->let_pass(1);
  EXPECT_TRUE(client.read_until("event: response.created\n"));
  EXPECT_TRUE(client.read_until("event: response.failed\n"));
}

// Until then its status can tell what came of it.
TEST_F(ConnectionTest, AStreamThatFailsSoonHasAStatus) {
  start();
  model->gate->close();
  TestClient client(server->port());
  client.send(post_request("/v1/completions", kLongStream));
  model->gate->fail_next_step();
  model->gate->let_pass(1);
  EXPECT_EQ(client.read_response().status, 500);
}

TEST_F(ConnectionTest, Http10GetsPlainBodies) {
  start();
  TestClient client(server->port());
  client.send("GET /live HTTP/1.0\r\n\r\n");
  const auto plain = client.read_response();
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers.at("connection"), "close");
  EXPECT_TRUE(client.reads_end());
  TestClient streamer(server->port());
  const std::string body = R"({"prompt": "ab", "max_tokens": 4, "stream": true})";
  streamer.send(
      fmt::format("POST /v1/completions HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  const auto stream = streamer.read_response();
  EXPECT_EQ(stream.status, 200);
  EXPECT_FALSE(stream.headers.contains("transfer-encoding"));
  EXPECT_THAT(stream.body, EndsWith("data: [DONE]\n\n"));
}

TEST_F(ConnectionTest, HeadHasTheHeaderAlone) {
  start();
  TestClient client(server->port());
  const auto full = client.get("/v1/models");
  client.send("HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = client.read_response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), full.headers.at("content-length"));
  EXPECT_EQ(client.get("/live").status, 200);  // nothing of a body came between
}

TEST_F(ConnectionTest, OtherMethodsAreToldWhatIsAllowed) {
  start();
  TestClient client(server->port());
  client.send("DELETE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto deleted = client.read_response();
  EXPECT_EQ(deleted.status, 405);
  EXPECT_EQ(deleted.headers.at("allow"), "GET, HEAD");
  client.send("GET /v1/completions HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_response().headers.at("allow"), "POST");
}

TEST_F(ConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  TestClient client(server->port());
  std::string many;
  for (int i = 0; i < 20; ++i) {
    many +=
        post_request("/v1/completions", fmt::format(R"({{"prompt": "p{}.", "max_tokens": 4}})", i + 10));
    many += get_request("/live");
    many += post_request("/v1/completions", "{");
  }
  client.send(many);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(client.read_response().body, HasSubstr(fmt::format("\"text\":\"p{}.\"", i + 10)));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(client.read_response().status, 400);
  }
}

TEST_F(ConnectionTest, BytesMayComeOneByOne) {
  start();
  TestClient client(server->port());
  for (const char byte : post_request("/tokenize", R"({"prompt": "ab"})")) client.send({&byte, 1});
  EXPECT_THAT(client.read_response().body, HasSubstr("[97,98]"));
}

TEST_F(ConnectionTest, BodiesMayBeChunked) {
  start();
  TestClient client(server->port());
  client.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("8\r\n{\"prompt\r\n7\r\n\":\"ab\"}\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_response().body, HasSubstr("[97,98]"));
}

TEST_F(ConnectionTest, WhoExpectsToBeAskedOnIsAsked) {
  start();
  TestClient client(server->port());
  client.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 100);
  client.send("{\"prompt\": \"abc\"}");
  EXPECT_EQ(client.read_response().status, 400);  // 16 bytes of 17
  TestClient refused(server->port());
  refused.send(
      "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.read_response().status, 404);
}

TEST_F(ConnectionTest, LongHeadersAndBodiesAreRefused) {
  config.max_body_bytes = 10'000;
  config.max_header_bytes = 2000;
  start();
  TestClient header(server->port());
  header.send(get_request("/live", fmt::format("X: {}\r\n", std::string(5000, 'x'))));
  EXPECT_EQ(header.read_response().status, 431);
  EXPECT_TRUE(header.reads_end());
  TestClient body(server->port());  // which is sent whole, and the answer still arrives
  const auto response =
      body.post("/tokenize", fmt::format(R"({{"prompt": "{}"}})", std::string(5'000'000, 'x')));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("10000 bytes"));
  TestClient chunks(server->port());
  chunks.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunks.send(fmt::format("1000\r\n{}\r\n", std::string(4096, 'x')));
  EXPECT_EQ(chunks.read_response().status, 413);
  EXPECT_EQ(TestClient(server->port()).get("/live").status, 200);
}

TEST_F(ConnectionTest, NoiseGetsA400AndTheEndOfTheConnection) {
  start();
  for (const char* noise :
       {"\x16\x03\x01 hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /live HTTP/1.1\r\n\r\n",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    TestClient client(server->port());
    client.send(noise);
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 400) << noise;
    EXPECT_THAT(response.body, HasSubstr("\"error\""));
    EXPECT_TRUE(client.reads_end());
  }
}

TEST_F(ConnectionTest, WithAKeyAllButProbesNeedIt) {
  config.api_key = "secret";
  start();
  TestClient client(server->port());
  EXPECT_EQ(client.get("/health").status, 200);
  const auto refused = client.get("/v1/models");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.at("www-authenticate"), "Bearer");
  EXPECT_THAT(refused.body, HasSubstr("invalid_api_key"));
  client.send(get_request("/v1/models", "Authorization: Bearer secret\r\n"));
  EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(ConnectionTest, ARequestThatDoesNotArriveIsGivenUp) {
  config.header_timeout = config.body_timeout = 0.05;
  start();
  TestClient header(server->port());
  header.send("GET /live HT");
  EXPECT_EQ(header.read_response().status, 408);
  TestClient body(server->port());
  body.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\n\r\n{");
  EXPECT_EQ(body.read_response().status, 408);
  EXPECT_TRUE(body.reads_end());
}

TEST_F(ConnectionTest, AnIdleConnectionIsClosed) {
  config.idle_timeout = 0.05;
  start();
  TestClient client(server->port());
  EXPECT_TRUE(client.reads_end());
}

TEST_F(ConnectionTest, MoreConnectionsThanMayBeWait) {
  config.max_connections = 2;
  start();
  auto first = std::make_unique<TestClient>(server->port());
  EXPECT_EQ(first->get("/live").status, 200);
  TestClient second(server->port());
  EXPECT_EQ(second.get("/live").status, 200);
  TestClient third(server->port());
  third.send(get_request("/live"));
  first.reset();
  EXPECT_EQ(third.read_response().status, 200);
}

TEST_F(ConnectionTest, LeavingWhileTheEngineWorksFreesTheBlocks) {
  start();
  for (const char* body : {kLong, kLongStream}) {
    for (const bool with_reset : {false, true}) {
      model->gate->close();
      TestClient client(server->port());
      client.send(post_request("/v1/completions", body));
      model->gate->let_pass(2);
      model->wait_for_running(1);
      with_reset ? client.reset() : client.close();
      model->gate->open();
      model->expect_baseline();
    }
  }
}

TEST_F(ConnectionTest, LeavingInAnyStageLeavesNothingBehind) {
  start();
  const std::string request = post_request("/v1/completions", kLongStream);
  for (const size_t sent :
       {size_t{0}, size_t{10}, request.size() - 30, request.size() - 1, request.size()}) {
    for (const bool with_reset : {false, true}) {
      TestClient client(server->port());
      client.send(std::string_view(request).substr(0, sent));
      with_reset ? client.reset() : client.close();
    }
  }
  for (const char* seen : {"HTTP/1.1 200", "data: ", "\"text\":\"a"}) {
    TestClient client(server->port());
    client.send(request);
    EXPECT_TRUE(client.read_until(seen));
    client.reset();
  }
  model->expect_baseline();
}

TEST_F(QueuedRequests, LeavingWhileQueuedFreesThePlace) {
  start();
  TestClient running(server->port());
  start_running(running);
  auto queued = std::make_unique<TestClient>(server->port());
  queued->send(post_request("/v1/completions", kLong));
  model->step_until_waiting(1);
  queued.reset();
  model->gate->open();
  EXPECT_EQ(running.read_response().status, 200);
  model->expect_baseline();
}

TEST_F(ConnectionTest, WhoPipelinesALotAndLeavesIsNoticedToo) {
  start();
  model->gate->close();
  TestClient client(server->port());
  client.send(post_request("/v1/completions", kLong));
  model->gate->let_pass(1);
  model->wait_for_running(1);
  std::string more;
  for (int i = 0; i < 3000; ++i) more += get_request("/live");
  client.send(more);
  client.close();
  model->gate->open();
  model->expect_baseline();
}

TEST_F(ConnectionTest, ASlowReaderIsGivenUp) {
  config.write_timeout = 0.2;
  model_options.num_blocks = 4096;
  model_options.max_model_len = 65536;
  model_options.max_num_batched_tokens = 4096;
  start();
  TestClient client(server->port());  // never reads: what is streamed to it exceeds what the kernel holds
  client.send(post_request("/v1/completions",
                           R"({"prompt": "abc", "max_tokens": 60000, "stream": true, "logprobs": 20})"));
  model->wait_for_running(1);
  model->expect_baseline();
}

TEST_F(QueuedRequests, WhoWaitsTooLongGetsA503ThatSaysWhenToComeAgain) {
  model_options.max_queue_ns = 3600'000'000'000;
  start();
  TestClient running(server->port()), waiting(server->port()), streaming(server->port());
  start_running(running);
  waiting.send(post_request("/v1/completions", kLong));
  streaming.send(post_request("/v1/completions", R"({"prompt": "abc", "stream": true})"));
  model->step_until_waiting(2);
  model->clock.skip_ns(model_options.max_queue_ns);
  model->gate->open();
  for (TestClient* client : {&waiting, &streaming}) {
    const auto response = client->read_response();
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.headers.at("retry-after"), "5");
    EXPECT_THAT(response.body, testing::HasSubstr("queue_timeout"));
  }
  EXPECT_EQ(running.read_response().status, 200) << "who runs does not wait";
  model->expect_baseline();
}

TEST_F(QueuedRequests, AFullQueueIsA429ThatSaysWhenToComeAgain) {
  model_options.max_queue = 1;
  start();
  TestClient running(server->port()), waiting(server->port()), refused(server->port());
  start_running(running);
  waiting.send(post_request("/v1/completions", kLong));
  model->step_until_waiting(1);
  const auto response = refused.post("/v1/completions", kLong);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.at("retry-after"), "1");
  model->gate->open();
  EXPECT_EQ(running.read_response().status, 200);
  EXPECT_EQ(waiting.read_response().status, 200);
  EXPECT_EQ(refused.post("/v1/completions", kLong).status, 200);
}

TEST_F(ConnectionTest, AFailureOfTheEngineIsToldInBothForms) {
  start();
  model->gate->close();
  TestClient whole(server->port());
  whole.send(post_request("/v1/completions", kLong));
  model->gate->fail_next_step();
  model->gate->let_pass(1);
  EXPECT_EQ(whole.read_response().status, 500);
  TestClient stream(server->port());
  stream.send(post_request("/v1/completions", kLongStream));
  model->gate->let_pass(1);
  EXPECT_TRUE(stream.read_until("data: {\"id\""));
  model->gate->fail_next_step();
  model->gate->let_pass(2);
  EXPECT_TRUE(stream.read_until("data: {\"error\""));
  EXPECT_TRUE(stream.read_until("data: [DONE]"));
  model->gate->open();
  EXPECT_EQ(stream.read_until("0\r\n\r\n"), true);
  EXPECT_EQ(TestClient(server->port()).post("/v1/completions", kLong).status, 200);
}

TEST_F(ConnectionTest, ManyClientsAtOnce) {
  start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      TestClient client(server->port());
      const std::string prompt(static_cast<size_t>(i % 7 + 1), static_cast<char>('a' + i));
      for (int round = 0; round < 5; ++round) {
        const auto response = client.post(
            "/v1/completions", fmt::format(R"({{"prompt": "{}", "max_tokens": 30, "stream": {}}})", prompt,
                                           round % 2 ? "true" : "false"));
        EXPECT_EQ(response.status, 200);
        const bool streamed = round % 2 == 1;
        EXPECT_THAT(response.body, HasSubstr(streamed ? std::string("[DONE]")
                                                      : std::string(30, static_cast<char>('a' + i))));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  model->expect_baseline();
}

}  // namespace
}  // namespace quire
