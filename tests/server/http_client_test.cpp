#include "server/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

class HttpClientTest : public LiveServer {
 protected:
  void SetUp() override {
    config.api_key = "secret";
    start();
    target = *resolve_target(context, "localhost", server->port(), "secret");
  }

  Expected<std::string> get(std::string_view path, size_t max_bytes = 4 << 20) {
    return run(http_get(target, path, max_bytes));
  }
  template <class T>
  T run(asio::awaitable<T> exchange) {
    auto answer = asio::co_spawn(context, std::move(exchange), asio::use_future);
    context.restart();
    context.run();
    return answer.get();
  }

  asio::io_context context;
  HttpTarget target;
};

TEST_F(HttpClientTest, GetsAWholeBodyWithTheKey) {
  const auto models = get("/v1/models");
  ASSERT_TRUE(models) << models.error().message;
  EXPECT_THAT(*models, HasSubstr("\"id\":\"echo\""));
}

TEST_F(HttpClientTest, AnotherStatusIsAnError) {
  const auto nothing = get("/nothing");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(nothing.error().message, HasSubstr("404"));
  target.api_key = "wrong";
  EXPECT_THAT(get("/v1/models").error().message, HasSubstr("401"));
}

TEST_F(HttpClientTest, ABodyIsBounded) {
  EXPECT_TRUE(get("/openapi.json"));
  const auto long_one = get("/openapi.json", 1000);
  ASSERT_FALSE(long_one);
  EXPECT_EQ(long_one.error().code, ErrorCode::kResourceExhausted);
}

TEST_F(HttpClientTest, PiecesOfAStreamComeAsTheyArrive) {
  std::string body;
  const auto keep = [&](std::string_view bytes, int status) -> Expected<> {
    EXPECT_EQ(status, 200);
    body += bytes;
    return {};
  };
  const HttpRequest request{.path = "/v1/completions",
                            .body = R"({"prompt": "abc", "max_tokens": 9, "stream": true})"};
  EXPECT_EQ(run(http_exchange(target, request, keep)), 200);
  EXPECT_TRUE(body.ends_with("data: [DONE]\n\n")) << body;
}

TEST_F(HttpClientTest, WhoeverTakesThePiecesMayHaveEnough) {
  const auto refuse = [](std::string_view, int) -> Expected<> {
    return fail(ErrorCode::kResourceExhausted, "enough");
  };
  const HttpRequest request{.path = "/v1/completions",
                            .body = R"({"prompt": "abc", "max_tokens": 9, "stream": true})"};
  const auto ended = run(http_exchange(target, request, refuse));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "enough");
}

TEST_F(HttpClientTest, NobodyThereIsUnavailable) {
  asio::ip::tcp::acceptor taken(context, {asio::ip::address_v4::loopback(), 0});
  target = *resolve_target(context, "127.0.0.1", taken.local_endpoint().port(), {});
  taken.close();  // now nobody listens there
  EXPECT_EQ(get("/live").error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(resolve_target(context, "no.such.host.invalid", 80, {}));
}

}  // namespace
}  // namespace quire
