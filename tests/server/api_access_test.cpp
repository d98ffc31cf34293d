// Who may use which route, and when: by the head of a request, and by its key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/api.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class ApiAccess : public ApiFixture {};

TEST_F(ApiAccess, BeforeTheModelOnlyLiveAndThePageAnswer) {
  Api early(config, model.clock, model.metrics);
  const auto status = [&](const char* path) {
    const RequestHead head{HttpMethod::kGet, path, {}, {}};
    if (const auto refused = early.refuse(head)) return refused->status;
    return std::get<HttpResponse>(early.handle(head, {})).status;
  };
  for (const char* path : {"/live", "/", "/page/app.js"}) EXPECT_EQ(status(path), 200);
  for (const char* path : {"/ready", "/health", "/v1/models", "/metrics", "/version"})
    EXPECT_EQ(status(path), 503);
}

TEST_F(ApiAccess, WhenItDrainsNothingNewIsGenerated) {
  api.drain();
  EXPECT_EQ(get("/live").status(), 200);
  EXPECT_EQ(get("/ready").status(), 503);
  const Answer refused = post("/v1/completions", R"({"prompt": "a"})");
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused.at("/error/code"), "draining");
}

TEST_F(ApiAccess, RefusesByTheHeadAlone) {
  EXPECT_EQ(get("/nothing").status(), 404);
  EXPECT_THAT(get("/nothing").at("/error/message"), testing::EndsWith("there is no '/nothing' here"));
  EXPECT_THAT(get("/models").at("/error/message"), testing::EndsWith("; did you mean /v1/models?"));
  EXPECT_THAT(post("/chat/completions/", "{}").at("/error/message"),
              testing::EndsWith("; did you mean /v1/chat/completions?"));
  EXPECT_THAT(post("/v1/completions/", "{}").at("/error/message"),
              testing::EndsWith("; did you mean /v1/completions?"));
  EXPECT_EQ(get("/v1/models/").status(), 404);
  EXPECT_EQ(get("/v1/completions").status(), 405);
  EXPECT_EQ(post("/live", "").status(), 405);
  EXPECT_EQ(call(HttpMethod::kOther, "/v1/models", "").status(), 405);
  EXPECT_EQ(call(HttpMethod::kHead, "/v1/models", "").status(), 200);
  EXPECT_EQ(Api::allowed_methods("/live"), "GET, HEAD");
  EXPECT_EQ(Api::allowed_methods("/tokenize"), "POST");
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    EXPECT_EQ(api.refuse({HttpMethod::kPost, "/tokenize", {}, type})->status, 415) << type;
  }
  // A page can send a body of no type to any site; a program may leave the type out.
  EXPECT_EQ(api.refuse({HttpMethod::kPost, "/tokenize", {}, {}, "https://a.example"})->status, 415);
  EXPECT_FALSE(api.refuse({HttpMethod::kPost, "/tokenize", {}, {}}));
  for (const char* type :
       {"", "application/json", "Application/JSON ; charset=utf-8", "application/x+json"}) {
    EXPECT_FALSE(api.refuse({HttpMethod::kPost, "/tokenize", {}, type})) << type;
  }
}

TEST_F(ApiAccess, BodiesAreNotUnpacked) {
  RequestHead head{HttpMethod::kPost, "/tokenize", {}, "application/json"};
  head.content_encoding = "Identity";
  EXPECT_FALSE(api.refuse(head));
  head.content_encoding = "gzip";
  EXPECT_EQ(api.refuse(head)->status, 415);
  EXPECT_THAT(api.refuse(head)->message, HasSubstr("the Content-Encoding of this one is 'gzip'"));
}

TEST_F(ApiAccess, BrowsersMayAskWithoutAKey) {
  ServerConfig closed;
  closed.api_key = "secret";
  closed.allowed_origins = "https://app.example.org";
  Api keyed(closed, model.clock, model.metrics);
  keyed.serve(served);
  RequestHead question{HttpMethod::kOptions, "/v1/completions", {}, {}, "https://app.example.org"};
  EXPECT_EQ(keyed.refuse(question)->status, 401);  // no question of a browser's
  question.asks_for_method = true;
  ASSERT_FALSE(keyed.refuse(question));
  EXPECT_EQ(std::get<HttpResponse>(keyed.handle(question, {})).status, 204);
  question.method = HttpMethod::kPost;
  EXPECT_EQ(keyed.refuse(question)->status, 401);
}

TEST_F(ApiAccess, WithAKeyOnlyProbesAndThePageAreOpen) {
  ServerConfig closed;
  closed.api_key = "secret";
  Api keyed(closed, model.clock, model.metrics);
  keyed.serve(served);
  for (const char* path : {"/live", "/ready", "/health", "/", "/page/app.js"}) {
    EXPECT_FALSE(keyed.refuse({HttpMethod::kGet, path, {}, {}})) << path;
  }
  for (const char* path : {"/metrics", "/version", "/v1/models", "/v1/completions", "/tokenize",
                           "/v1/engine/events", "/nothing"}) {
    EXPECT_EQ(keyed.refuse({HttpMethod::kGet, path, "Bearer wrong", {}})->status, 401) << path;
  }
  EXPECT_FALSE(keyed.refuse({HttpMethod::kGet, "/metrics", "Bearer secret", {}}));
}

std::vector<NamedKey> one_key(std::string_view name, std::string_view key, const KeyLimits& limits = {}) {
  return {{std::string(name), ApiKeys::digest(key), limits}};
}

TEST_F(ApiAccess, AKeyThatIsRevokedWhileItsRequestArrivesIsA401) {
  ASSERT_TRUE(api.read_keys([] { return one_key("alice", "a", {.requests_per_minute = 1}); }));
  for (const char* path : {"/v1/completions", "/v1/embeddings", "/tokenize"}) {
    const RequestHead head{HttpMethod::kPost, path, "Bearer a", "application/json"};
    ASSERT_FALSE(api.refuse(head)) << path;
  }
  ASSERT_TRUE(api.read_keys([] { return one_key("bob", "b"); }));
  for (const char* path : {"/v1/completions", "/v1/embeddings", "/tokenize"}) {
    const RequestHead head{HttpMethod::kPost, path, "Bearer a", "application/json"};
    const Api::Reply reply = api.handle(head, R"({"prompt": "ab", "input": "ab"})");
    ASSERT_TRUE(std::holds_alternative<HttpResponse>(reply)) << path;
    EXPECT_EQ(std::get<HttpResponse>(reply).status, 401) << path;
  }
  EXPECT_EQ(answer({HttpMethod::kPost, "/tokenize", "Bearer b", "application/json"}, R"({"prompt": "ab"})")
                .status(),
            200);
}

TEST_F(ApiAccess, KeysThatCannotBeReadChangeNothing) {
  ASSERT_TRUE(api.read_keys([] { return one_key("alice", "a"); }));
  const auto read = api.read_keys(
      []() -> Expected<std::vector<NamedKey>> { return fail(ErrorCode::kInvalidArgument, "no keys"); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "no keys");
  EXPECT_FALSE(api.refuse({HttpMethod::kGet, "/v1/models", "Bearer a", {}}));
  EXPECT_EQ(api.refuse({HttpMethod::kGet, "/v1/models", {}, {}})->status, 401);
}

// As when SIGHUP comes again, with another file, while the first is being read.
TEST_F(ApiAccess, TheKeysThatWereReadLastAreInUse) {
  std::atomic<bool> overtaken = false;
  std::thread second;
  ASSERT_TRUE(api.read_keys([&] {
    second = std::thread([&] {
      EXPECT_TRUE(api.read_keys([] { return one_key("alice", "new"); }));
      overtaken = true;
    });
    for (int chance = 0; chance < 50 && !overtaken; ++chance) std::this_thread::yield();
    return one_key("alice", "old");
  }));
  second.join();
  EXPECT_FALSE(api.refuse({HttpMethod::kGet, "/v1/models", "Bearer new", {}}));
  EXPECT_EQ(api.refuse({HttpMethod::kGet, "/v1/models", "Bearer old", {}})->status, 401);
}

}  // namespace
}  // namespace quire
